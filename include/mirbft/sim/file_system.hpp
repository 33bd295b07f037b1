// The disk of a simulated node as a file system, which outlives the node.
#ifndef MIRBFT_SIM_FILE_SYSTEM_HPP
#define MIRBFT_SIM_FILE_SYSTEM_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/disk.hpp>
#include <mirbft/sim/file_image.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::sim {

/// What can go wrong at an operation on files. `power`: the node is gone before it. `io_error`: it
/// is refused. `no_space`: a file cannot be made. `failed_sync`: what was to be synced is
/// forgotten. `misdirected_write`: what is written comes to another place, and nobody is told.
enum class FileTrouble : std::uint8_t { power, io_error, no_space, failed_sync, misdirected_write };

/// What an operation does.
enum class FileOperation : std::uint8_t { read, write, sync, create, name };

/// Files by path, in the cache and on the disk. What is done to their names is durable after a sync
/// of their directory; a power failure before that may lose each of these changes for itself.
class FileSystem {
 public:
  using Image = std::map<std::string, FileImage>;

  explicit FileSystem(Random random) noexcept : random_(random) {}
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  /// The trouble comes at an operation that it can hit: of all operations but reads the first, if
  /// `operations` is 0, or one so many later; or the next read after that.
  void fail_after(std::uint64_t operations, FileTrouble trouble = FileTrouble::power) noexcept {
    left_ = operations;
    trouble_ = trouble;
  }
  /// The power fails now, amid the work of another module.
  void fail() noexcept { failed_ = true; }
  /// Takes back `fail_after`, if it has not come to that yet.
  void spare() noexcept { left_ = never; }
  /// Whether the power has failed, or an operation was refused, since the last `crash` or `kill`.
  bool failed() const noexcept { return failed_ || refused_; }
  bool refused() const noexcept { return refused_; }
  /// How often this has come to pass.
  std::uint64_t struck(FileTrouble trouble) const noexcept {
    return struck_[static_cast<std::size_t>(trouble)];
  }
  /// How many operations there have been, without reads.
  std::uint64_t operations() const noexcept { return operations_; }

  /// The power is gone, and comes back. Returns what has become of what was not synced. No file is
  /// open then.
  CrashLoss crash(Tail tail = Tail::drawn) {
    kill();
    CrashLoss loss = crash_names(tail);
    for (auto& [path, file] : names_) loss += file->crash(tail, random_);
    return loss;
  }
  /// The node is gone and the machine is not: all that was written can be read.
  void kill() noexcept {
    failed_ = refused_ = false;
    left_ = never;
  }
  /// Everything is lost.
  void wipe() {
    names_.clear();
    durable_names_.clear();
    changes_.clear();
  }

  /// A bit of some file flips. False if there is none.
  bool rot() {
    std::size_t bits = 0;
    for (const auto& [path, file] : names_) bits += 8 * file->size();
    if (bits == 0) return false;
    std::size_t bit = random_.below(bits);
    auto at = names_.begin();
    for (; bit >= 8 * at->second->size(); ++at) bit -= 8 * at->second->size();
    at->second->flip(bit);
    return true;
  }

  /// All that is on the disk, and the disk as it was then.
  Image image() const {
    Image image;
    for (const auto& [path, file] : durable_names_) image.emplace(path, *file);
    return image;
  }
  void restore(const Image& image) {
    wipe();
    for (const auto& [path, file] : image)
      names_.emplace(path, std::make_shared<FileImage>(file));
    durable_names_ = names_;
    crash(Tail::lost);
  }

  /// The file of this path, or null: for looking at it, and harming it.
  FileImage* find(const std::string& path) {
    const auto found = names_.find(path);
    return found == names_.end() ? nullptr : found->second.get();
  }
  bool empty() const noexcept { return names_.empty(); }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [path, file] : names_) all.push_back(path);
    return all;
  }

 private:
  friend class Files;
  friend class File;
  using Names = std::map<std::string, std::shared_ptr<FileImage>>;

  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  /// A change of names: the file gets the path `to`, if there is one, and no longer has `from`.
  struct Change {
    std::string from;
    std::string to;
    std::shared_ptr<FileImage> file;
  };

  /// What befalls this operation. Throws if that means that it is not done.
  std::optional<FileTrouble> operate(FileOperation operation, const std::string& path) {
    if (failed_) throw PowerFailure();
    operations_ += operation != FileOperation::read;
    if (left_ == never) return std::nullopt;
    if (left_ != 0) {
      left_ -= operation != FileOperation::read;
      return std::nullopt;
    }
    if (!hits(operation)) return std::nullopt;
    left_ = never;
    ++struck_[static_cast<std::size_t>(trouble_)];
    failed_ = trouble_ == FileTrouble::power;
    if (failed_) throw PowerFailure();
    refused_ = trouble_ != FileTrouble::misdirected_write;
    if (trouble_ == FileTrouble::no_space)
      throw ModuleFailure("cannot reserve space for " + path + ": no space left on the disk");
    return trouble_;
  }
  bool hits(FileOperation operation) const noexcept {
    switch (trouble_) {
      case FileTrouble::power: return operation != FileOperation::read;
      case FileTrouble::io_error: return true;
      case FileTrouble::no_space: return operation == FileOperation::create;
      case FileTrouble::failed_sync: return operation == FileOperation::sync;
      case FileTrouble::misdirected_write: return operation == FileOperation::write;
    }
    return false;
  }
  [[noreturn]] static void refuse(const char* operation, const std::string& path) {
    throw ModuleFailure(std::string("cannot ") + operation + ' ' + path + ": input/output error");
  }

  void apply(Names& names, const Change& change) {
    names.erase(change.from);
    if (!change.to.empty()) names.insert_or_assign(change.to, change.file);
  }
  void change(Change change) {
    apply(names_, change);
    changes_.push_back(std::move(change));
  }
  /// Of what begins with `prefix`.
  void sync_names(const std::string& prefix) {
    std::erase_if(changes_, [&](const Change& change) {
      const bool is_here = (change.to.empty() ? change.from : change.to).starts_with(prefix);
      if (is_here) apply(durable_names_, change);
      return is_here;
    });
  }
  CrashLoss crash_names(Tail tail) {
    CrashLoss loss;
    for (const Change& change : changes_) {
      const bool keep = tail == Tail::kept || (tail == Tail::drawn && random_.chance(500));
      if (keep) apply(durable_names_, change);
      ++(keep ? loss.kept : loss.lost);
    }
    changes_.clear();
    names_ = durable_names_;
    return loss;
  }

  Random random_;
  std::uint64_t left_ = never;
  FileTrouble trouble_ = FileTrouble::power;
  bool failed_ = false;
  bool refused_ = false;
  std::uint64_t operations_ = 0;
  std::array<std::uint64_t, 5> struck_{};

  Names names_;
  Names durable_names_;
  /// Since the last sync of names, in their order.
  std::vector<Change> changes_;
  /// Who has which directory open.
  std::map<std::string, std::weak_ptr<const int>> locks_;
};

}  // namespace mirbft::sim

#endif
