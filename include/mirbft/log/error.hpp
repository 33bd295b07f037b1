// Why an event log could not be written or read.
#ifndef MIRBFT_LOG_ERROR_HPP
#define MIRBFT_LOG_ERROR_HPP

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace mirbft {

/// Which file, at which byte, and what is wrong there.
class LogError : public std::runtime_error {
 public:
  LogError(std::string file, std::uint64_t offset, std::string reason)
      : std::runtime_error(file + ": at byte " + std::to_string(offset) + ": " + reason),
        file_(std::move(file)),
        offset_(offset),
        reason_(std::move(reason)) {}

  const std::string& file() const noexcept { return file_; }
  std::uint64_t offset() const noexcept { return offset_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::string file_;
  std::uint64_t offset_;
  std::string reason_;
};

}  // namespace mirbft

#endif
