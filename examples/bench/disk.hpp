// Files of a benchmark's node, durable or not.
#ifndef MIRBFT_EXAMPLES_BENCH_DISK_HPP
#define MIRBFT_EXAMPLES_BENCH_DISK_HPP

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/files/posix.hpp>
#include <mirbft/types/bytes.hpp>

namespace bench {

/// Whether what is written is made durable when a log asks for it.
enum class Durability { synced, left_to_the_system };

/// Those of the system; what is left to it costs no wait, and is lost where the machine stops.
class Disk {
 public:
  class File {
   public:
    File(mirbft::PosixFile inner, Durability durability)
        : inner_(std::move(inner)), durability_(durability) {}

    std::uint64_t size() const { return inner_.size(); }
    void read(std::uint64_t offset, std::span<std::uint8_t> into) const {
      inner_.read(offset, into);
    }
    void write(std::uint64_t offset, mirbft::ByteView bytes) { inner_.write(offset, bytes); }
    void sync() {
      if (durability_ == Durability::synced) inner_.sync();
    }

   private:
    mirbft::PosixFile inner_;
    Durability durability_;
  };

  Disk(std::string path, Durability durability)
      : inner_(std::move(path)), durability_(durability) {}

  std::vector<std::string> list() const { return inner_.list(); }
  File create(const std::string& name, std::uint64_t size) {
    return File(inner_.create(name, size), durability_);
  }
  File open(const std::string& name) { return File(inner_.open(name), durability_); }
  void rename(const std::string& from, const std::string& to) { inner_.rename(from, to); }
  void remove(const std::string& name) { inner_.remove(name); }
  void sync() { inner_.sync(); }
  std::string path(const std::string& name) const { return inner_.path(name); }
  std::uint64_t salt() const { return inner_.salt(); }

 private:
  mirbft::PosixFiles inner_;
  Durability durability_;
};

}  // namespace bench

#endif
