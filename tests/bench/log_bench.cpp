// What recording costs the thread that records, and how fast a log is read again.
//
// Reading is of a log of 64 MiB, or of as many as MIRBFT_LOG_MIB says: 1024 for a whole gibibyte.
#include <unistd.h>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <mirbft/events/node.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/writer.hpp>
#include <mirbft/log/zstd.hpp>
#include <mirbft/types/request.hpp>

namespace {

using namespace mirbft;

using Types = events<Tick, NewRequest, Deliver>;

/// Requests of 500 bytes, half of which compress, each followed by a tick.
struct List {
  std::uint64_t first;
  std::size_t requests;

  template <class Look>
  void for_each(Look&& look) const {
    for (std::uint64_t number = first; number < first + requests; ++number) {
      const Bytes data = Bytes::filled(500, [&](std::uint8_t* to) {
        std::uint64_t random = number;
        for (int i = 0; i < 500; ++i) {
          random = random * 6364136223846793005u + 1442695040888963407u;
          to[i] = i < 250 ? std::uint8_t{0} : static_cast<std::uint8_t>(random >> 56);
        }
      });
      look(NewRequest{{ClientId(7), ReqNo(number), data, Bytes{1, 2, 3}}, Spread::by_replica});
      look(Tick{std::chrono::nanoseconds(number)});
    }
  }
};

/// Rare: one in ten thousand lists.
struct Delivery {
  std::uint64_t sn;

  template <class Look>
  void for_each(Look&& look) const {
    look(Deliver{SeqNr(sn), Batch(std::vector<RequestRef>(1))});
  }
};

LogOptions options(const benchmark::State& state) {
  LogOptions made;
  made.gather = std::chrono::milliseconds(state.range(0));
  made.compression = state.range(1) != 0 ? Compression::zstd : Compression::none;
  return made;
}

/// A log that is removed at the end.
class Log {
 public:
  Log() : path_("/var/tmp/mirbft-log-bench-" + std::to_string(::getpid())) {}
  ~Log() { std::filesystem::remove(path_); }

  const std::string& path() const { return path_; }

  void write(std::uint64_t bytes, const LogOptions& how) const {
    LogWriter writer(path_, how);
    writer.begin(NodeId(1), {}, Types{});
    std::uint64_t number = 0;
    for (std::uint64_t list = 0; number * 540 < bytes; ++list, number += 10) {
      writer.append(slot::tracker, List{number, 10}, 1'000'000 * list);
      if (list % 10'000 == 9'999) writer.append(slot::store, Delivery{list}, 1'000'000 * list);
    }
  }

 private:
  std::string path_;
};

/// The list's making is a part of it, as encoding begins where the events lie.
void append(benchmark::State& state) {
  Log log;
  LogWriter writer(log.path(), options(state));
  writer.begin(NodeId(1), {}, Types{});
  std::uint64_t number = 0;
  const auto requests = static_cast<std::size_t>(state.range(2));
  for (auto _ : state) {
    writer.append(slot::tracker, List{number, requests}, 100'000 * number);
    number += requests;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(540 * number));
}
BENCHMARK(append)
    ->ArgNames({"gather_ms", "zstd", "requests"})
    ->Args({0, 0, 1})
    ->Args({20, 0, 1})
    ->Args({20, 1, 1})
    ->Args({0, 0, 20})
    ->Args({20, 0, 20})
    ->Args({20, 1, 20});

std::uint64_t reading_size() {
  const char* mebibytes = std::getenv("MIRBFT_LOG_MIB");
  return (mebibytes ? std::strtoull(mebibytes, nullptr, 10) : 64) << 20;
}

/// Counts deliveries: by a look at each event's number, or only at blocks that may hold some.
void read(benchmark::State& state) {
  Log log;
  log.write(reading_size(), options(state));
  std::uint64_t found = 0;
  for (auto _ : state) {
    LogReader reader(log.path());
    const std::uint64_t bits =
        state.range(2) == 0
            ? ~std::uint64_t{0}
            : reader.type_bits([](const auto& type) { return type.number == Deliver::number; });
    while (const auto event = reader.next([&](const LogBlock& block) {
      return (block.types & bits) != 0;
    }))
      found += event->number == Deliver::number;
  }
  if (found == 0) state.SkipWithError("no delivery was found");
  state.counters["file_MiB"] =
      static_cast<double>(std::filesystem::file_size(log.path())) / (1 << 20);
}
BENCHMARK(read)
    ->ArgNames({"gather_ms", "zstd", "skip"})
    ->Args({0, 0, 0})
    ->Args({0, 0, 1})
    ->Args({20, 0, 0})
    ->Args({20, 0, 1})
    ->Args({20, 1, 0})
    ->Args({20, 1, 1})
    ->Unit(benchmark::kMillisecond);

}  // namespace
