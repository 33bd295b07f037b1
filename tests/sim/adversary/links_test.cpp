#include <chrono>
#include <cstdint>
#include <set>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/links.hpp>

#include "stage.hpp"

namespace mirbft::testing::links_test {

using namespace std::chrono_literals;

TEST_CASE("a selective sender lets exactly q, q-1 or w replicas know, itself among them") {
  SelectiveSending sender(powers(1, 7));  // f = 2: q = 5, w = 3
  std::set<std::size_t> counts;
  for (std::uint64_t sn = 0; sn < 50; ++sn) {
    std::size_t told = 1;
    for (std::uint64_t to = 1; to < 7; ++to) told += said(sender, prepare(sn), to).size();
    counts.insert(told);
    for (std::uint64_t to = 1; to < 7; ++to)
      CHECK(said(sender, commit(sn), to).size() == said(sender, commit(sn), to).size());
  }
  CHECK(counts == std::set<std::size_t>{3, 4, 5});
  CHECK(said(sender, Done{segment, {}}).size() == 1);
}

TEST_CASE("Commits are late at one victim, and nothing else is late") {
  DelayedCommits sender(powers());
  std::set<std::uint64_t> victims;
  for (std::uint64_t sn = 0; sn < 20; ++sn)
    for (std::uint64_t to = 1; to < 4; ++to) {
      if (said(sender, commit(sn), to).at(0).delay > 0s) victims.insert(to);
      CHECK(said(sender, prepare(sn), to).at(0).delay == 0s);
    }
  CHECK(victims.size() == 1);
}

TEST_CASE("a slow leader's proposals come just before the others lose patience") {
  std::set<std::chrono::nanoseconds> delays;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SlowDrip sender(powers(seed));
    const auto late = said(sender, proposal(1, {})).at(0).delay;
    delays.insert(late);
    CHECK(late < IssConfig{}.base_timeout);
    CHECK(said(sender, prepare(1)).at(0).delay == late / 2);
    CHECK(said(sender, Progress{}).at(0).delay == 0s);
  }
  CHECK(delays == std::set<std::chrono::nanoseconds>{50ms, 100ms, 200ms, 400ms, 800ms});
}

}  // namespace mirbft::testing::links_test
