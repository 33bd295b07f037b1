// The main() of a benchmark in which rivals do the same job: after the usual table it says how
// each compares with the first of its group.
//
// Benchmarks are named `group/rival` or `group/rival/argument`; the time of an item is the shortest
// of all repetitions, since whatever else the machine does only makes it longer.
#ifndef MIRBFT_TESTS_BENCH_RIVALS_HPP
#define MIRBFT_TESTS_BENCH_RIVALS_HPP

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

/// Prints the usual table, and remembers what it needs for the one behind it.
class Rivals : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    benchmark::ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs)
      if (run.run_type == Run::RT_Iteration && !run.error_occurred) remember(run);
  }

  void Finalize() override {
    benchmark::ConsoleReporter::Finalize();
    std::printf("\n%-40s %10s %10s %10s\n", "the same job", "ns", "ratio", "ns more");
    for (const auto& [group, rivals] : groups_)
      for (const auto& [name, time] : rivals)
        std::printf("%-40s %10.2f %10.2f %+10.2f\n", (group + ": " + name).c_str(), time,
                    time / rivals.front().second, time - rivals.front().second);
  }

 private:
  void remember(const Run& run) {
    const std::string& name = run.run_name.function_name;
    const std::size_t slash = name.find('/');
    const std::string group = name.substr(0, slash) + " " + run.run_name.args;
    auto& rivals = groups_[group];
    const std::string rival = name.substr(slash + 1);
    const double time = 1e9 / run.counters.at("items_per_second").value;
    const auto known = std::find_if(rivals.begin(), rivals.end(),
                                    [&](const auto& entry) { return entry.first == rival; });
    if (known == rivals.end()) {
      rivals.emplace_back(rival, time);
    } else {
      known->second = std::min(known->second, time);
    }
  }

  std::map<std::string, std::vector<std::pair<std::string, double>>> groups_;
};

inline int compare_rivals(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  Rivals rivals;
  benchmark::RunSpecifiedBenchmarks(&rivals);
  return 0;
}

}  // namespace bench

#endif
