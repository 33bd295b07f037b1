// Files that tell how much was read of them: how far a recovery is.
#ifndef MIRBFT_EXAMPLES_KV_COUNTED_FILES_HPP
#define MIRBFT_EXAMPLES_KV_COUNTED_FILES_HPP

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/types/bytes.hpp>

namespace kv {

/// Passes everything on to `Inner`, and counts the bytes that are read.
template <mirbft::IsFiles Inner>
class CountedFiles {
 public:
  class File {
   public:
    File(typename Inner::File inner, std::atomic<std::uint64_t>& count)
        : inner_(std::move(inner)), count_(&count) {}

    std::uint64_t size() const { return inner_.size(); }
    void read(std::uint64_t offset, std::span<std::uint8_t> into) const {
      inner_.read(offset, into);
      count_->fetch_add(into.size(), std::memory_order_relaxed);
    }
    void write(std::uint64_t offset, mirbft::ByteView bytes) { inner_.write(offset, bytes); }
    void sync() { inner_.sync(); }

   private:
    typename Inner::File inner_;
    std::atomic<std::uint64_t>* count_;
  };

  /// `count` outlives it.
  CountedFiles(Inner inner, std::atomic<std::uint64_t>& count)
      : inner_(std::move(inner)), count_(&count) {}

  std::vector<std::string> list() const { return inner_.list(); }
  File create(const std::string& name, std::uint64_t size) {
    return File(inner_.create(name, size), *count_);
  }
  File open(const std::string& name) { return File(inner_.open(name), *count_); }
  void rename(const std::string& from, const std::string& to) { inner_.rename(from, to); }
  void remove(const std::string& name) { inner_.remove(name); }
  void sync() { inner_.sync(); }
  std::string path(const std::string& name) const { return inner_.path(name); }
  std::uint64_t salt() const { return inner_.salt(); }

 private:
  Inner inner_;
  std::atomic<std::uint64_t>* count_;
};

}  // namespace kv

#endif
