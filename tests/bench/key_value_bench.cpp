// What the key-value store's chunks cost: changes of keys, and how long a checkpoint stops it.
//
// The number of keys is a million, or what the environment variable KEYS says.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <mirbft/engine/tasks/app.hpp>
#include <mirbft/modules/app/key_value_store.hpp>

#include "../support/stub_modules.hpp"

namespace {

using namespace mirbft;

/// CPU time of the thread: what others make it wait for is not the store's cost.
struct Clock {
  static std::chrono::nanoseconds now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
};

constexpr std::size_t batch_size = 500;

std::uint64_t keys() {
  const char* const wanted = std::getenv("KEYS");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 1'000'000;
}
std::string key(std::uint64_t number) { return "user" + std::to_string(number * 7919 % keys()); }
std::string value(std::uint64_t number) { return "value of " + std::to_string(number); }

/// Applies batches to a store through the engine's task, and times each step.
class Replica {
 public:
  Replica() {
    for (std::uint64_t i = 0; i < keys();) {
      Apply batch{next_, {}};
      ++next_;
      for (std::size_t k = 0; k < batch_size && i < keys(); ++k, ++i) add(batch, i);
      task_.process(store_, std::move(batch), *this);
    }
    checkpoint();
  }

  /// Sets keys at random.
  void apply() {
    Apply batch{next_, {}};
    ++next_;
    for (std::size_t k = 0; k < batch_size; ++k) add(batch, random_() % keys());
    step(longest_batch, [&] { task_.process(store_, std::move(batch), *this); });
  }
  /// One snapshot, with a batch before each of its steps. Returns what is in it.
  std::size_t checkpoint() {
    longest_batch = longest_step = {};
    bytes_ = 0;
    apply();
    step(longest_step, [&] {
      task_.process(store_, AppSnapshotRequest{SeqNr(next_.value - 1)}, *this);
    });
    while (std::exchange(noted_, false)) {
      apply();
      step(longest_step, [&] { task_.process(store_, AppContinue{}, *this); });
    }
    return bytes_;
  }

  // What the task emits into.
  void emit(AppContinue&&) { noted_ = true; }
  void emit(AppSnapshot&& piece) {
    for (const AppChunk& chunk : piece.changed) bytes_ += chunk.data.size();
  }
  void emit(Applied&&) {}

  /// During the last checkpoint: of the batches, and of what is done for the checkpoint.
  std::chrono::nanoseconds longest_batch{};
  std::chrono::nanoseconds longest_step{};

 private:
  static void add(Apply& batch, std::uint64_t number) {
    batch.requests.push_back({ClientId(0), ReqNo(number),
                              Bytes("SET " + key(number) + " " + value(number)), {}});
  }
  template <class Step>
  void step(std::chrono::nanoseconds& longest, Step&& take) {
    const auto begin = Clock::now();
    take();
    longest = std::max(longest, Clock::now() - begin);
  }

  KeyValueStore store_;
  engine::TaskOf<slot::app.index(), KeyValueStore, testing::StubProtocol> task_{NodeConfig{}};
  SeqNr next_;
  std::mt19937_64 random_{1};
  bool noted_ = false;
  std::size_t bytes_ = 0;
};

Replica& replica() {
  static Replica one;
  return one;
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// The engine's share included.
void set_in_store(benchmark::State& state) {
  Replica& filled = replica();
  for (auto _ : state) filled.apply();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch_size));
}
BENCHMARK(set_in_store);

/// The same changes of one large map, to compare with.
void set_in_map(benchmark::State& state) {
  std::map<std::string, std::string, std::less<>> map;
  for (std::uint64_t i = 0; i < keys(); ++i) map[key(i)] = value(i);
  std::mt19937_64 random(1);
  for (auto _ : state) {
    const std::uint64_t number = random() % keys();
    map.find(key(number))->second = value(number);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(set_in_map);

/// A checkpoint after so many batches at random places, with batches going on. The longest step
/// counts, which is the freeze or a piece of what is read.
void checkpoint(benchmark::State& state) {
  Replica& filled = replica();
  std::chrono::nanoseconds step{};
  std::chrono::nanoseconds batch{};
  std::size_t bytes = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) filled.apply();
    bytes = filled.checkpoint();
    step = std::max(step, filled.longest_step);
    batch = std::max(batch, filled.longest_batch);
  }
  state.counters["longest_step_ms"] = milliseconds(step);
  state.counters["longest_batch_ms"] = milliseconds(batch);
  state.counters["MiB"] = static_cast<double>(bytes) / (1024 * 1024);
}
BENCHMARK(checkpoint)->Arg(0)->Arg(200)->Unit(benchmark::kMillisecond);

/// To compare with: all of the state at once.
void snapshot_of_all(benchmark::State& state) {
  KeyValueStore store;
  for (std::uint64_t i = 0; i < keys(); ++i) {
    const std::vector<Request> one{{{}, {}, Bytes("SET " + key(i) + " " + value(i)), {}}};
    store.apply({}, one);
  }
  for (auto _ : state) benchmark::DoNotOptimize(store.snapshot());
}
BENCHMARK(snapshot_of_all)->Unit(benchmark::kMillisecond);

}  // namespace
