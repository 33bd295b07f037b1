// Files that tell how much was read of them: how far a recovery is. It can be broken off.
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
#include <mirbft/types/errors.hpp>

namespace kv {

/// What was read so far, and whether to go on. For any thread.
class Reading {
 public:
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// The next who reads fails, which does no harm: it is as if the power had gone.
  void interrupt() noexcept { is_interrupted_ = true; }
  bool is_interrupted() const noexcept { return is_interrupted_; }

  void add(std::uint64_t bytes) {
    if (is_interrupted_) throw mirbft::ModuleFailure("told to end before the logs were read");
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> is_interrupted_{false};
};

/// Passes everything on to `Inner`, and counts the bytes that are read.
template <mirbft::IsFiles Inner>
class CountedFiles {
 public:
  class File {
   public:
    File(typename Inner::File inner, Reading& reading)
        : inner_(std::move(inner)), reading_(&reading) {}

    std::uint64_t size() const { return inner_.size(); }
    void read(std::uint64_t offset, std::span<std::uint8_t> into) const {
      reading_->add(into.size());
      inner_.read(offset, into);
    }
    void write(std::uint64_t offset, mirbft::ByteView bytes) { inner_.write(offset, bytes); }
    void sync() { inner_.sync(); }

   private:
    typename Inner::File inner_;
    Reading* reading_;
  };

  /// `reading` outlives it.
  CountedFiles(Inner inner, Reading& reading) : inner_(std::move(inner)), reading_(&reading) {}

  std::vector<std::string> list() const { return inner_.list(); }
  File create(const std::string& name, std::uint64_t size) {
    return File(inner_.create(name, size), *reading_);
  }
  File open(const std::string& name) { return File(inner_.open(name), *reading_); }
  void rename(const std::string& from, const std::string& to) { inner_.rename(from, to); }
  void remove(const std::string& name) { inner_.remove(name); }
  void sync() { inner_.sync(); }
  std::string path(const std::string& name) const { return inner_.path(name); }
  std::uint64_t salt() const { return inner_.salt(); }

 private:
  Inner inner_;
  Reading* reading_;
};

}  // namespace kv

#endif
