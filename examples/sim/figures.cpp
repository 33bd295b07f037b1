#include "figures.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "measure.hpp"

namespace simulation {
namespace {

using namespace std::chrono_literals;
using mirbft::Batching;
using mirbft::GroupCommit;
using mirbft::PullAlong;
using mirbft::VoteFrames;

double milliseconds(Time time) { return static_cast<double>(time.count()) * 1e-6; }

void print_cost(const char* what, const Setup& setup) {
  const Cost cost = cost_of_a_decision(setup);
  std::printf("%5zu  %-30s %9.2f %9.1f %9.0f %8.1f %9.1f %7.1f\n", setup.nodes, what,
              cost.requests, cost.frames, cost.bytes, cost.made, cost.checked, cost.syncs);
  std::fflush(stdout);
}

void print_costs() {
  std::printf("The whole cluster's cost of a decision; signatures are those of replicas\n\n"
              "nodes  %-30s  requests    frames     bytes   signed   checked   syncs\n",
              "");
  for (const std::size_t nodes : {4u, 16u, 64u}) {
    print_cost("the defaults", {.nodes = nodes});
    print_cost("a frame for each vote", {.nodes = nodes, .vote_frames = VoteFrames::single});
    if (nodes < 64)
      print_cost("a sync for each entry", {.nodes = nodes, .group_commit = GroupCommit::entry});
  }
  std::printf("\nWere Commits signed too, a decision would take n more signatures and n (q - 1)\n"
              "more checks, with n nodes and strong quorums of q: twice as many.\n\n");
}

void print_pace(const char* what, const Setup& setup, std::uint64_t clients, Time rest) {
  const Rate rate = rate_under_load(setup, clients, rest);
  std::printf("%7lu  %-30s %9.0f %9.2f %9.2f %9.2f\n", clients, what, rate.requests_per_second,
              milliseconds(rate.median), milliseconds(rate.slowest_percent),
              rate.requests_per_decision);
  std::fflush(stdout);
}

void print_paces() {
  std::printf("Four nodes, links of 0.05 to 1 ms; clients with one request open\n\n"
              "clients  %-30s        /s    p50 ms    p99 ms   a batch\n",
              "");
  struct Load {
    std::uint64_t clients;
    Time rest;
  };
  for (const auto [clients, rest] : {Load{1, 200ms}, Load{8, 50ms}, Load{64, 0ms}}) {
    print_pace("the defaults", {}, clients, rest);
    print_pace("idle leaders wait", {.pull_along = PullAlong::delayed}, clients, rest);
    print_pace("batches wait", {.batching = Batching::fixed_delay}, clients, rest);
  }
  std::printf("\n");
}

void print_fail_over() {
  constexpr std::uint64_t seeds = 20;
  FailOver worst{};
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const FailOver one = kill_one({.seed = seed});
    worst = {std::max(worst.time, one.time), std::max(worst.pause, one.pause)};
  }
  const double unit = milliseconds(mirbft::IssConfig{}.base_timeout);
  std::printf("One of four nodes is killed under load, at %lu moments\n\n", seeds);
  std::printf("  until all others deliver again     %6.3f T_0 at most\n",
              milliseconds(worst.time) / unit);
  std::printf("  longest pause of delivery          %6.0f ms at most\n\n",
              milliseconds(worst.pause));
  const double all = throughput_with_silent({}, 0, 60s);
  const double but_one = throughput_with_silent({}, 1, 60s);
  std::printf("One of four leaders is silent from the beginning, 60 s with 16 requests open\n\n");
  std::printf("  requests/s with it and without     %6.0f, %.0f: %.0f %%\n", but_one, all,
              100 * but_one / all);
}

}  // namespace

void print_figures() {
  print_costs();
  print_paces();
  print_fail_over();
}

}  // namespace simulation
