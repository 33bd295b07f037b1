// A directory of a simulated file system, as logs on disk use one.
#ifndef MIRBFT_SIM_FILES_HPP
#define MIRBFT_SIM_FILES_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/file_image.hpp>
#include <mirbft/sim/file_system.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::sim {

/// An open file of a `Files`.
class File {
 public:
  std::uint64_t size() const noexcept { return image_->size(); }

  void read(std::uint64_t offset, std::span<std::uint8_t> into) const {
    if (system_->operate(FileOperation::read, path_)) FileSystem::refuse("read", path_);
    if (offset + into.size() > image_->size())
      throw ModuleFailure("cannot read " + path_ + ": it ends too early");
    const ByteView bytes = image_->cached().subspan(offset, into.size());
    std::copy(bytes.begin(), bytes.end(), into.begin());
  }
  void write(std::uint64_t offset, ByteView bytes) {
    const auto trouble = system_->operate(FileOperation::write, path_);
    if (trouble == FileTrouble::io_error) {
      const std::size_t sectors = system_->random_.below(bytes.size() / sector + 1);
      image_->write(offset, bytes.first(sectors * sector));
      FileSystem::refuse("write", path_);
    }
    if (trouble == FileTrouble::misdirected_write) offset = elsewhere(offset, bytes.size());
    image_->write(offset, bytes);
  }
  void sync() {
    const auto trouble = system_->operate(FileOperation::sync, path_);
    if (!trouble) return image_->sync();
    image_->lose_sync(system_->random_.chance(500) ? Tail::kept : Tail::lost);
    FileSystem::refuse("sync", path_);
  }

 private:
  friend class Files;
  static constexpr std::size_t sector = FileImage::sector;

  File(FileSystem& system, std::string path, std::shared_ptr<FileImage> image) noexcept
      : system_(&system), path_(std::move(path)), image_(std::move(image)) {}

  /// Another place in this file, as many sectors away as the dice say.
  std::uint64_t elsewhere(std::uint64_t offset, std::uint64_t size) const {
    const std::uint64_t rest = offset % sector;
    const std::uint64_t places = (std::max(size + rest, image_->size()) - size - rest) / sector + 1;
    const std::uint64_t others = std::max(places, std::uint64_t{2}) - 1;
    return (offset / sector + 1 + system_->random_.below(others)) % places * sector + rest;
  }

  FileSystem* system_;
  std::string path_;
  std::shared_ptr<FileImage> image_;
};

/// A directory, which is there as soon as it is opened. One object has it at a time.
class Files {
 public:
  using File = sim::File;

  /// The file system must outlive it. Throws ModuleFailure if the directory is in use.
  Files(FileSystem& system, std::string directory)
      : system_(&system), directory_(std::move(directory)), lock_(std::make_shared<int>(0)) {
    std::weak_ptr<const int>& holder = system.locks_[directory_];
    if (!holder.expired())
      throw ModuleFailure("cannot lock " + directory_ + ": another process uses this directory");
    holder = lock_;
  }

  std::vector<std::string> list() const {
    operate(FileOperation::read, "list", directory_);
    std::vector<std::string> names;
    const std::string prefix = path("");
    for (auto at = system_->names_.lower_bound(prefix);
         at != system_->names_.end() && at->first.starts_with(prefix); ++at)
      names.push_back(at->first.substr(prefix.size()));
    return names;
  }
  File create(const std::string& name, std::uint64_t size) {
    operate(FileOperation::create, "create", path(name));
    if (system_->find(path(name)))
      throw ModuleFailure("cannot create " + path(name) + ": there is one already");
    auto image = std::make_shared<FileImage>(size);
    system_->change({"", path(name), image});
    return {*system_, path(name), std::move(image)};
  }
  File open(const std::string& name) {
    operate(FileOperation::read, "open", path(name));
    return {*system_, path(name), existing(name)};
  }
  void rename(const std::string& from, const std::string& to) {
    operate(FileOperation::name, "rename", path(from));
    system_->change({path(from), path(to), existing(from)});
  }
  void remove(const std::string& name) {
    operate(FileOperation::name, "remove", path(name));
    system_->change({path(name), "", existing(name)});
  }
  void sync() {
    operate(FileOperation::sync, "sync", directory_);
    system_->sync_names(path(""));
  }
  std::string path(const std::string& name) const { return directory_ + '/' + name; }
  std::uint64_t salt() { return system_->random_.next(); }

 private:
  void operate(FileOperation operation, const char* name, const std::string& path) const {
    if (system_->operate(operation, path)) FileSystem::refuse(name, path);
  }
  std::shared_ptr<FileImage> existing(const std::string& name) const {
    const auto found = system_->names_.find(path(name));
    if (found == system_->names_.end()) throw ModuleFailure("cannot find " + path(name));
    return found->second;
  }

  FileSystem* system_;
  std::string directory_;
  std::shared_ptr<const int> lock_;
};

}  // namespace mirbft::sim

#endif
