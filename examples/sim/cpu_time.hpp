// Time that this process has worked.
#ifndef MIRBFT_EXAMPLES_SIM_CPU_TIME_HPP
#define MIRBFT_EXAMPLES_SIM_CPU_TIME_HPP

#include <sys/resource.h>

namespace simulation {

/// On all its threads, in seconds.
inline double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace simulation

#endif
