// The signals that ask a program to end, as something to wait for.
#ifndef MIRBFT_EXAMPLES_SHARED_SIGNALS_HPP
#define MIRBFT_EXAMPLES_SHARED_SIGNALS_HPP

#include <sys/signalfd.h>

#include <csignal>

#include "process.hpp"

namespace programs {

/// SIGINT, SIGTERM and SIGHUP as something to wait for, from its making on; threads
/// that are started later do not see them.
class Signals {
 public:
  Signals() {
    sigset_t caught;
    sigemptyset(&caught);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&caught, number);
    ::sigprocmask(SIG_BLOCK, &caught, nullptr);
    handle_ = Handle(::signalfd(-1, &caught, SFD_CLOEXEC));
  }
  int handle() const noexcept { return handle_.get(); }

 private:
  Handle handle_;
};

}  // namespace programs

#endif
