// A file as the event log needs it: appended to by one call a list, read at any place.
#ifndef MIRBFT_LOG_FILE_HPP
#define MIRBFT_LOG_FILE_HPP

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mirbft/log/error.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// An open file. Whatever fails is a LogError with the system's reason.
class LogFile {
 public:
  /// A file to write: a new or empty one, a pipe or a device. What has content is refused, since a
  /// log is worth most after the crash that a restart would wipe out.
  static LogFile create(std::string path) {
    LogFile file(std::move(path), O_WRONLY | O_CREAT);
    if (file.is_regular() && file.size() != 0)
      file.fail(0, "the file has content already: move it away or choose another name");
    return file;
  }

  /// A file to read, which must be a regular one.
  static LogFile open(std::string path) {
    LogFile file(std::move(path), O_RDONLY | O_NONBLOCK);
    if (!file.is_regular()) file.fail(0, "this is no regular file and so no event log");
    return file;
  }

  LogFile(LogFile&& other) noexcept
      : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, -1)) {}
  LogFile& operator=(LogFile other) noexcept {
    std::swap(path_, other.path_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~LogFile() {
    if (handle_ >= 0) ::close(handle_);
  }

  const std::string& path() const noexcept { return path_; }
  /// False once another has taken it over.
  bool is_open() const noexcept { return handle_ >= 0; }

  std::uint64_t size() const { return static_cast<std::uint64_t>(status().st_size); }

  /// Appends all of `bytes`; `offset`, where they begin, is for the error's sake.
  void append(ByteView bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(handle_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail(offset, reason("cannot write"));
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }

  /// Reads exactly `size` bytes from `offset`.
  void read(std::uint64_t offset, std::uint8_t* to, std::size_t size) const {
    while (size != 0) {
      const ssize_t got = ::pread(handle_, to, size, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(offset, reason("cannot read"));
      if (got == 0) fail(offset, "the file became shorter while it was read");
      to += got;
      size -= static_cast<std::size_t>(got);
      offset += static_cast<std::uint64_t>(got);
    }
  }

  [[noreturn]] void fail(std::uint64_t offset, std::string why) const {
    throw LogError(path_, offset, std::move(why));
  }

 private:
  LogFile(std::string path, int flags)
      : path_(std::move(path)), handle_(::open(path_.c_str(), flags | O_CLOEXEC, 0644)) {
    if (handle_ < 0) fail(0, reason("cannot open"));
  }

  bool is_regular() const { return S_ISREG(status().st_mode); }

  struct ::stat status() const {
    struct ::stat found {};
    if (::fstat(handle_, &found) != 0) fail(0, reason("cannot inspect"));
    return found;
  }

  static std::string reason(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
  }

  std::string path_;
  int handle_;
};

}  // namespace mirbft

#endif
