// A directory of the operating system's file system.
#ifndef MIRBFT_MODULES_FILES_POSIX_HPP
#define MIRBFT_MODULES_FILES_POSIX_HPP

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft {
namespace detail {

/// A file descriptor and the path behind it, for the sake of errors.
class PosixHandle {
 public:
  PosixHandle(int handle, std::string path) : handle_(handle), path_(std::move(path)) {
    if (handle_ < 0) fail("open");
  }
  PosixHandle(PosixHandle&& other) noexcept
      : handle_(std::exchange(other.handle_, -1)), path_(std::move(other.path_)) {}
  PosixHandle& operator=(PosixHandle other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~PosixHandle() {
    if (handle_ >= 0) ::close(handle_);
  }

  int get() const noexcept { return handle_; }
  const std::string& path() const noexcept { return path_; }

  [[noreturn]] void fail(const char* operation, int error = errno) const {
    fail(operation, path_, error);
  }
  [[noreturn]] static void fail(const char* operation, const std::string& path, int error) {
    throw ModuleFailure(std::string("cannot ") + operation + ' ' + path + ": " +
                        std::strerror(error));
  }

 private:
  int handle_;
  std::string path_;
};

}  // namespace detail

/// An open file of a PosixFiles.
class PosixFile {
 public:
  std::uint64_t size() const {
    struct ::stat found {};
    if (::fstat(handle_.get(), &found) != 0) handle_.fail("inspect");
    return static_cast<std::uint64_t>(found.st_size);
  }

  /// Reads as many bytes as `into` holds.
  void read(std::uint64_t offset, std::span<std::uint8_t> into) const {
    while (!into.empty()) {
      const ssize_t got =
          ::pread(handle_.get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) handle_.fail("read");
      if (got == 0) throw ModuleFailure("cannot read " + handle_.path() + ": it ends too early");
      into = into.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
  }

  void write(std::uint64_t offset, ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t done =
          ::pwrite(handle_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) handle_.fail("write");
      bytes = bytes.subspan(static_cast<std::size_t>(done));
      offset += static_cast<std::uint64_t>(done);
    }
  }

  /// Not tried again after EINTR or anything else: a second call may well succeed although what the
  /// first one could not write is lost (Rebello and others, "Can Applications Recover from fsync
  /// Failures?", USENIX ATC 2020).
  void sync() {
    if (::fdatasync(handle_.get()) != 0) handle_.fail("sync");
  }

 private:
  friend class PosixFiles;
  explicit PosixFile(detail::PosixHandle handle) noexcept : handle_(std::move(handle)) {}

  detail::PosixHandle handle_;
};

/// A directory that this process alone has open, by a lock on the file `lock` in it.
class PosixFiles {
 public:
  using File = PosixFile;

  /// Opens the directory, and makes it first if there is none. Throws ModuleFailure, also if
  /// somebody else has it open.
  explicit PosixFiles(std::string path)
      : path_(std::move(path)), directory_(opened(path_)), lock_(open_file(lock_name, O_CREAT)) {
    struct ::flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    // A lock of the open file, not of the process: it also keeps out another part of this process,
    // and closing some other descriptor of the file does not release it.
    if (::fcntl(lock_.get(), F_OFD_SETLK, &whole) == 0) return;
    if (errno == EAGAIN || errno == EACCES)
      throw ModuleFailure("cannot lock " + path_ + ": another process uses this directory");
    lock_.fail("lock");
  }

  std::vector<std::string> list() const {
    const int handle = ::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) directory_.fail("list");
    const auto close = [](DIR* entries) { ::closedir(entries); };
    const std::unique_ptr<DIR, decltype(close)> entries(::fdopendir(handle), close);
    if (!entries) directory_.fail("list");
    std::vector<std::string> names;
    errno = 0;
    while (const ::dirent* entry = ::readdir(entries.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != ".." && name != lock_name) names.push_back(name);
    }
    if (errno != 0) directory_.fail("list");
    std::sort(names.begin(), names.end());
    return names;
  }

  File create(const std::string& name, std::uint64_t size) {
    File file(open_file(name, O_CREAT | O_EXCL));
    int error = EINTR;
    while (error == EINTR)
      error = ::posix_fallocate(file.handle_.get(), 0, static_cast<off_t>(size));
    if (error != 0) file.handle_.fail("reserve space for", error);
    return file;
  }
  File open(const std::string& name) { return File(open_file(name, 0)); }
  void rename(const std::string& from, const std::string& to) {
    if (::renameat(directory_.get(), from.c_str(), directory_.get(), to.c_str()) != 0)
      detail::PosixHandle::fail("rename", path(from), errno);
  }
  void remove(const std::string& name) {
    if (::unlinkat(directory_.get(), name.c_str(), 0) != 0)
      detail::PosixHandle::fail("remove", path(name), errno);
  }
  void sync() {
    if (::fsync(directory_.get()) != 0) directory_.fail("sync");
  }

  std::string path(const std::string& name) const { return path_ + '/' + name; }

  std::uint64_t salt() const {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number)
      directory_.fail("draw a random number for");
    return number;
  }

 private:
  static constexpr const char* lock_name = "lock";

  static detail::PosixHandle opened(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) detail::PosixHandle::fail("make directory", path, error.value());
    // Each time, and each one above that we may read: who made them may have died before this.
    const std::filesystem::path whole = std::filesystem::canonical(path, error);
    if (error) detail::PosixHandle::fail("find", path, error.value());
    for (auto above = whole.parent_path(); above.has_relative_path(); above = above.parent_path()) {
      if (::access(above.c_str(), R_OK) != 0) break;
      const detail::PosixHandle parent = directory_at(above.string());
      if (::fsync(parent.get()) != 0) parent.fail("sync");
    }
    return directory_at(path);
  }
  static detail::PosixHandle directory_at(const std::string& path) {
    return {::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), path};
  }
  detail::PosixHandle open_file(const std::string& name, int flags) const {
    return {::openat(directory_.get(), name.c_str(), flags | O_RDWR | O_CLOEXEC, 0644),
            path(name)};
  }

  std::string path_;
  detail::PosixHandle directory_;
  detail::PosixHandle lock_;
};

}  // namespace mirbft

#endif
