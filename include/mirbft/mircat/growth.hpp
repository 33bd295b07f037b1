// Waits for logs to grow, or to be told that this is enough.
#ifndef MIRBFT_MIRCAT_GROWTH_HPP
#define MIRBFT_MIRCAT_GROWTH_HPP

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <mirbft/mircat/console.hpp>

namespace mirbft::mircat {

/// From its making on, SIGINT and SIGTERM end nothing by themselves: they are asked for. Made
/// before the files are read to their ends, so that no growth is missed.
class Growth {
 public:
  explicit Growth(const std::vector<std::string>& files) : changes_(::inotify_init1(IN_CLOEXEC)) {
    sigset_t ends;
    sigemptyset(&ends);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&ends, number);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    ends_ = ::signalfd(-1, &ends, SFD_CLOEXEC);
    if (changes_ < 0 || ends_ < 0) fail();
    for (const std::string& file : files)
      if (!watch(file) && !watch(std::filesystem::absolute(file).parent_path())) fail();
  }
  Growth(const Growth&) = delete;
  Growth& operator=(const Growth&) = delete;
  ~Growth() {
    if (changes_ >= 0) ::close(changes_);
    if (ends_ >= 0) ::close(ends_);
  }

  /// Whether it is enough. To be asked for each event: it is looked at now and then.
  bool is_over() {
    if (asked_++ % 256 != 0) return false;
    ::pollfd ends{ends_, POLLIN, 0};
    return ::poll(&ends, 1, 0) > 0;
  }

  /// False when it is enough. Throws ClosedPipe when nobody reads the output any more.
  bool wait() {
    std::array<::pollfd, 3> all{{{changes_, POLLIN, 0}, {ends_, POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
    while (::poll(all.data(), all.size(), -1) < 0)
      if (errno != EINTR) fail();
    if (all[1].revents != 0) return false;
    if (all[2].revents != 0) throw ClosedPipe();
    std::array<char, 4096> told;
    if ((all[0].revents & POLLIN) != 0) (void)!::read(changes_, told.data(), told.size());
    return true;
  }

 private:
  /// A series of files is none itself: what happens in its directory is watched then.
  bool watch(const std::filesystem::path& path) const {
    return ::inotify_add_watch(changes_, path.c_str(), IN_MODIFY | IN_CREATE) >= 0;
  }

  [[noreturn]] static void fail() {
    throw std::system_error(errno, std::generic_category(), "cannot wait for logs to grow");
  }

  int changes_;
  int ends_ = -1;
  std::uint64_t asked_ = 0;
};

}  // namespace mirbft::mircat

#endif
