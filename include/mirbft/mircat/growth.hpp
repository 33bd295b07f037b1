// Waits for logs to grow, or to be told that this is enough.
#ifndef MIRBFT_MIRCAT_GROWTH_HPP
#define MIRBFT_MIRCAT_GROWTH_HPP

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <mirbft/mircat/console.hpp>

namespace mirbft::mircat {

/// From its making on, SIGINT and SIGTERM end nothing but the next `wait`. Made before the files
/// are read to their ends, so that no growth is missed.
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
      if (::inotify_add_watch(changes_, file.c_str(), IN_MODIFY) < 0) fail();
  }
  Growth(const Growth&) = delete;
  Growth& operator=(const Growth&) = delete;
  ~Growth() {
    if (changes_ >= 0) ::close(changes_);
    if (ends_ >= 0) ::close(ends_);
  }

  /// False when it is enough. Throws ClosedPipe when nobody reads the output any more.
  bool wait() {
    std::array<::pollfd, 3> all{{{changes_, POLLIN, 0}, {ends_, POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
    while (::poll(all.data(), all.size(), -1) < 0)
      if (errno != EINTR) fail();
    if (all[1].revents != 0) return false;
    if ((all[2].revents & POLLERR) != 0) throw ClosedPipe();
    std::array<char, 4096> told;
    (void)!::read(changes_, told.data(), told.size());
    return true;
  }

 private:
  [[noreturn]] static void fail() {
    throw std::system_error(errno, std::generic_category(), "cannot wait for logs to grow");
  }

  int changes_;
  int ends_ = -1;
};

}  // namespace mirbft::mircat

#endif
