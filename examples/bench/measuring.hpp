// What all ways to run the benchmark count alike.
#ifndef MIRBFT_EXAMPLES_BENCH_MEASURING_HPP
#define MIRBFT_EXAMPLES_BENCH_MEASURING_HPP

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "options.hpp"

namespace bench {

using Time = std::chrono::steady_clock::time_point;

/// What a process has used of the processors; 0 if it is gone.
inline double cpu_seconds(pid_t process = ::getpid()) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Calls `pass(Time until)` until the time is up, with a line a second on a terminal.
template <class Load, class Pass>
void wait(const Load& load, double seconds, const char* what, Pass&& pass) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                       std::chrono::duration<double>(seconds));
  for (std::uint64_t before = load.completed(); std::chrono::steady_clock::now() < end;) {
    pass(std::min(end, std::chrono::steady_clock::now() + std::chrono::seconds(1)));
    const std::uint64_t now = load.completed();
    if (terminal) std::fprintf(stderr, "\r%s: %9lu requests/s  ", what, now - before);
    before = now;
  }
  if (terminal) std::fprintf(stderr, "\r\033[K");
}

inline double milliseconds_at(const std::vector<std::uint64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return static_cast<double>(sorted[place]) * 1e-6;
}

/// Of nanoseconds in ascending order.
inline Latency latency_of(const std::vector<std::uint64_t>& sorted) {
  return {milliseconds_at(sorted, 0.5), milliseconds_at(sorted, 0.99),
          milliseconds_at(sorted, 0.999)};
}

/// Runs the whole course of a load and notes what it was. `pass(Time until)` is how to wait,
/// `cpu()` what everybody has used so far, in seconds, one number each.
template <class Load, class Pass, class Cpu>
void measure(Load& load, const Options& options, Result& result, Pass&& pass, Cpu&& cpu) {
  load.start();
  wait(load, options.warm_up, "warm-up", pass);
  load.measure(true);
  const std::uint64_t before = load.completed();
  const std::vector<double> cpu_before = cpu();
  const Time begin = std::chrono::steady_clock::now();
  wait(load, options.seconds, "measuring", pass);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  result.requests = load.completed() - before;
  const std::vector<double> cpu_after = cpu();
  load.measure(false);
  const double requests = static_cast<double>(std::max<std::uint64_t>(result.requests, 1));
  result.requests_per_second = static_cast<double>(result.requests) / spent.count();
  for (std::size_t i = 0; i < cpu_after.size(); ++i) {
    const double each = (cpu_after[i] - cpu_before[i]) * 1e6 / requests;
    result.cpu_us_per_request += each;
    if (i < result.costs.size()) result.costs[i].cpu_us_per_request = each;
  }
}

}  // namespace bench

#endif
