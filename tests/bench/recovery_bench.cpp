// How fast a node finds out what it has on disk: a write-ahead log that is opened and played back,
// and a request store that is opened.
//
// `MIRBFT_BENCH_MIB=2048 recovery_bench` does it with logs of 2 GiB, in the directory that TMPDIR
// names; without it they are small. Argument 1: of nothing that is read the operating system has
// a copy in memory.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <benchmark/benchmark.h>

#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/wal/segment.hpp>

namespace {

using namespace mirbft;

using Wal = SegmentWal<PosixFiles>;
using Store = SegmentStore<PosixFiles>;

std::uint64_t log_size() {
  const char* const mib = std::getenv("MIRBFT_BENCH_MIB");
  return (mib ? std::strtoull(mib, nullptr, 10) : 16) << 20;
}

/// A directory of a log, for as long as this program runs.
class Folder {
 public:
  template <class Fill>
  explicit Folder(Fill&& fill) {
    std::string name = std::filesystem::temp_directory_path() / "mirbft-recovery-XXXXXX";
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
    fill(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::string& path() const noexcept { return path_; }

  void forget_cache() const {
    for (const auto& file : std::filesystem::directory_iterator(path_)) {
      const int handle = ::open(file.path().c_str(), O_RDONLY | O_CLOEXEC);
      ::fdatasync(handle);
      ::posix_fadvise(handle, 0, 0, POSIX_FADV_DONTNEED);
      ::close(handle);
    }
  }

 private:
  std::string path_;
};

constexpr std::uint64_t sync_every = 4096;

void fill_wal(const std::string& path, std::uint64_t entry_size) {
  Wal wal((PosixFiles(path)));
  const Bytes entry(std::string(entry_size, 'v'));
  for (std::uint64_t i = 0; i * entry_size < log_size(); ++i) {
    wal.append(1, entry, RetentionIndex(i / 100'000));
    if (i % sync_every == 0) wal.sync();
  }
  wal.sync();
}

void recover_wal(benchmark::State& state) {
  const auto entry_size = static_cast<std::uint64_t>(state.range(0));
  static std::map<std::uint64_t, Folder> folders;
  const auto fill = [&](const std::string& path) { fill_wal(path, entry_size); };
  const Folder& folder = folders.try_emplace(entry_size, fill).first->second;
  std::uint64_t bytes = 0;
  for (auto step : state) {
    state.PauseTiming();
    if (state.range(1) == 1) folder.forget_cache();
    state.ResumeTiming();
    Wal wal((PosixFiles(folder.path())));
    wal.replay([&](std::uint32_t, const Bytes& entry) { bytes += entry.size(); });
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void fill_store(const std::string& path) {
  Store store((PosixFiles(path)));
  constexpr std::uint64_t clients = 1000;
  const Bytes data(std::string(512, 'd'));
  const Bytes authenticator(std::string(64, 'a'));
  for (std::uint64_t i = 0; i * data.size() < log_size(); ++i) {
    store.put({ClientId(i % clients), ReqNo(i / clients), {}}, data, authenticator);
    if (i % sync_every == 0) store.sync();
  }
  store.sync();
}

void recover_store(benchmark::State& state) {
  static const Folder folder(fill_store);
  std::uint64_t bytes = 0;
  for (auto step : state) {
    state.PauseTiming();
    if (state.range(0) == 1) folder.forget_cache();
    state.ResumeTiming();
    const Store store((PosixFiles(folder.path())));
    bytes += store.status().bytes;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK(recover_wal)->ArgNames({"entry", "cold"})->ArgsProduct({{120, 4096}, {0, 1}})
    ->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(recover_store)->ArgName("cold")->Arg(0)->Arg(1)
    ->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
