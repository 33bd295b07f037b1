// A replica's directory on disk, and whether it still holds all that this replica has written.
#ifndef MIRBFT_EXAMPLES_KV_DATA_DIRECTORY_HPP
#define MIRBFT_EXAMPLES_KV_DATA_DIRECTORY_HPP

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>

#include "config.hpp"

namespace kv {

/// The file `node.json` in the directory: whose it is, and what became of it.
struct Marker {
  std::string cluster;
  mirbft::NodeId node;
  /// `new`: its replica has never run. `used`: what it has written is here. `lost`: some of that
  /// is gone, and its log does not say so yet.
  std::string state;
};

}  // namespace kv

BOOST_HANA_ADAPT_STRUCT(kv::Marker, cluster, node, state);

namespace kv {

/// Opened by one process at a time.
///
/// A replica that has forgotten its votes could vote twice, and would count as Byzantine. That a
/// log is empty does not tell whether it ever was another: the marker does. It is made together
/// with the keys, once; where it is missing, the directory is taken for one that was lost.
class DataDirectory {
 public:
  /// Makes the directory of a replica that has never run. Throws ConfigError if there is one.
  static void create(const Config& config) {
    if (std::filesystem::exists(config.data) && !std::filesystem::is_empty(config.data))
      throw mirbft::ConfigError("data", config.data,
                                "is there and not empty: a first start needs a new directory");
    mirbft::PosixFiles files(config.data);
    write(files, {config.cluster, config.self, "new"});
  }

  /// Throws ConfigError unless a replica can work with the directory; changes nothing.
  static void check(const Config& config) {
    const std::filesystem::path data = config.data;
    const bool is_there = std::filesystem::exists(data);
    if (is_there && !std::filesystem::is_directory(data))
      throw mirbft::ConfigError("data", data, "is no directory: name one, or remove it");
    const auto place = is_there ? data : existing_parent(data);
    if (::access(place.c_str(), R_OK | W_OK | X_OK) != 0)
      throw mirbft::ConfigError(
          "data", place,
          std::string(std::strerror(errno)) + ": must be a directory that this user can write");
    (void)read_marker(config);
  }

  /// Throws ConfigError if it is another replica's, ModuleFailure if another process has it open.
  explicit DataDirectory(const Config& config)
      : cluster_(config.cluster),
        node_(config.self),
        marker_(read_marker(config)),
        files_(config.data) {
    find();
    if (memory() == mirbft::Memory::whole) return;
    mark("lost");
    set_aside(wal_name);
    set_aside(store_name);
  }

  mirbft::Memory memory() const noexcept {
    return lost_.empty() ? mirbft::Memory::whole : mirbft::Memory::lost;
  }
  bool is_first_start() const noexcept { return marker_ && marker_->state == "new"; }
  /// Why the memory is not whole; empty if it is.
  const std::string& loss() const noexcept { return lost_; }

  /// Says durably that the memory is not whole: the next start sets the logs aside.
  void give_up() { mark("lost"); }

  /// By a start: what the write-ahead log holds is checked, and then played back.
  std::uint64_t bytes_to_read() const { return 2 * size_of(wal()) + size_of(store()); }

  std::string wal() const { return files_.path(wal_name); }
  std::string store() const { return files_.path(store_name); }

  /// From now on what is in the logs is all that the replica remembers. To be called after both
  /// were opened, and, where memory was lost, after the log says so.
  void in_use() {
    if (!marker_ || marker_->state != "used") mark("used");
  }

 private:
  static constexpr const char* marker_name = "node.json";
  static constexpr const char* wal_name = "wal";
  static constexpr const char* store_name = "store";

  static std::filesystem::path existing_parent(std::filesystem::path path) {
    while (!std::filesystem::exists(path) && path.has_relative_path()) path = path.parent_path();
    return path;
  }

  static std::optional<Marker> read_marker(const Config& config) {
    const std::string path = std::filesystem::path(config.data) / marker_name;
    if (!std::filesystem::exists(path)) return std::nullopt;
    auto marker = mirbft::wire::load_config<Marker>(path);
    if (marker.node != config.self || marker.cluster != config.cluster)
      throw mirbft::ConfigError(
          "data", config.data,
          "is the directory of node " + std::to_string(marker.node.value) + " of cluster \"" +
              marker.cluster + "\": each replica needs its own");
    if (marker.state != "new" && marker.state != "used" && marker.state != "lost")
      throw mirbft::ConfigError(path + ": state", '"' + marker.state + '"',
                                "must be new, used or lost");
    return marker;
  }

  static void write(mirbft::PosixFiles& files, const Marker& marker) {
    const std::string text =
        mirbft::wire::to_json(marker, mirbft::wire::JsonLayout::indented) + '\n';
    const std::string draft = std::string(marker_name) + ".new";
    for (const std::string& name : files.list())
      if (name == draft) files.remove(draft);
    auto file = files.create(draft, text.size());
    file.write(0, mirbft::bytes_of(text));
    file.sync();
    files.rename(draft, marker_name);
    files.sync();
  }
  void mark(std::string state) {
    marker_ = Marker{cluster_, node_, std::move(state)};
    write(files_, *marker_);
  }

  void find() {
    if (!marker_) {
      lost_ = "there is no " + files_.path(marker_name) + ", which a first start has";
    } else if (marker_->state == "lost") {
      lost_ = "it was lost before the last start, and nothing was learnt yet";
    } else if (marker_->state == "used") {
      if (!has_segments(wal())) lost_ = "the write-ahead log is gone from " + wal();
      if (!has_segments(store())) lost_ = "the request store is gone from " + store();
    }
  }
  static bool has_segments(const std::string& path) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(path, none))
      if (mirbft::segments::id_of(entry.path().filename())) return true;
    return false;
  }

  static std::uint64_t size_of(const std::string& path) {
    std::uint64_t sum = 0;
    std::error_code none;
    for (const auto& file : std::filesystem::directory_iterator(path, none))
      if (mirbft::segments::id_of(file.path().filename())) sum += file.file_size();
    return sum;
  }

  /// What is left of a log of which a part is gone stays for people to look at.
  void set_aside(const std::string& name) {
    if (!has_segments(files_.path(name))) return;
    files_.rename(name, mirbft::numbered_name(files_, name + ".left-"));
    files_.sync();
  }

  std::string cluster_;
  mirbft::NodeId node_;
  std::optional<Marker> marker_;
  mirbft::PosixFiles files_;
  std::string lost_;
};

}  // namespace kv

#endif
