// Logs on a real disk.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/files/segment_report.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/wal/segment.hpp>

#include "../../support/log_oracle.hpp"

namespace mirbft::posix_test {
namespace {

static_assert(IsFiles<PosixFiles>);
static_assert(IsWal<SegmentWal<PosixFiles>>);
static_assert(IsStore<SegmentStore<PosixFiles>>);

/// A directory that goes with this object.
class Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "mirbft-files-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  /// One that is not made yet.
  std::string path() const { return path_ / "log"; }

 private:
  std::filesystem::path path_;
};

SegmentWal<PosixFiles> open(const Directory& directory) {
  return SegmentWal<PosixFiles>(PosixFiles(directory.path()), {.segment_size = 8192});
}

/// Runs `work` in a process of its own; returns its exit status, or the signal that ended it.
template <class Work>
int in_child(Work&& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
}

}  // namespace

TEST_CASE("a file is written and read at any place") {
  Directory directory;
  PosixFiles files(directory.path());
  PosixFile file = files.create("a", 10);
  CHECK(file.size() == 10);
  file.write(3, bytes_of("xyz"));
  file.sync();
  std::vector<std::uint8_t> bytes(5);
  file.read(2, bytes);
  CHECK(bytes == std::vector<std::uint8_t>{0, 'x', 'y', 'z', 0});
  CHECK_THROWS_WITH_AS(file.read(8, bytes),
                       ("cannot read " + directory.path() + "/a: it ends too early").c_str(),
                       ModuleFailure);
}

TEST_CASE("files get other names and go") {
  Directory directory;
  PosixFiles files(directory.path());
  (void)files.create("b", 1);
  (void)files.create("a", 1);
  CHECK(files.list() == std::vector<std::string>{"a", "b"});
  files.rename("a", "c");
  files.remove("b");
  files.sync();
  CHECK(files.list() == std::vector<std::string>{"c"});
}

TEST_CASE("what fails is named, with the system's reason") {
  Directory directory;
  PosixFiles files(directory.path());
  (void)files.create("a", 1);
  const auto text = [&](const char* what, const char* why) {
    return std::string("cannot ") + what + ' ' + directory.path() + why;
  };
  CHECK_THROWS_WITH_AS((void)files.create("a", 1), text("open", "/a: File exists").c_str(),
                       ModuleFailure);
  CHECK_THROWS_WITH_AS((void)files.open("b"),
                       text("open", "/b: No such file or directory").c_str(), ModuleFailure);
  CHECK_THROWS_WITH_AS(files.rename("b", "c"),
                       text("rename", "/b: No such file or directory").c_str(), ModuleFailure);
  CHECK_THROWS_WITH_AS(files.remove("b"),
                       text("remove", "/b: No such file or directory").c_str(), ModuleFailure);
}

TEST_CASE("a directory has one user at a time, in this process and in others") {
  Directory directory;
  const std::string taken =
      "cannot lock " + directory.path() + ": another process uses this directory";
  {
    const PosixFiles files(directory.path());
    CHECK_THROWS_WITH_AS(PosixFiles(directory.path()), taken.c_str(), ModuleFailure);
    const int status = in_child([&] {
      try {
        const PosixFiles other(directory.path());
        return 1;
      } catch (const ModuleFailure& failure) {
        return failure.what() == taken ? 0 : 2;
      }
    });
    CHECK(status == 0);
  }
  CHECK_NOTHROW(PosixFiles(directory.path()));
}

TEST_CASE("a log outlives its process") {
  Directory directory;
  testing::LogOracle oracle;
  for (std::uint64_t life = 0; life < 5; ++life) {
    auto wal = open(directory);
    CHECK(oracle.fault_of(wal) == "");
    oracle.work(wal, sim::Random(life), 30, 400);
    CHECK(wal.status().syncs > 10);
  }
  PosixFiles files(directory.path());
  CHECK(verify_log(files).outcome == LogOutcome::clean);
}

TEST_CASE("a process is killed while it writes, again and again") {
  Directory directory;
  std::uint64_t entries = 0;
  for (int life = 0; life < 20; ++life) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto wal = open(directory);
      for (std::uint64_t next = entries;; ++next) {
        wal.append(1, Bytes(std::to_string(next)), RetentionIndex(0));
        wal.sync();
        if (::write(ends[1], "x", 1) != 1) ::_exit(1);
      }
    }
    // So many entries are acknowledged before it is killed.
    char acknowledged[8];
    for (int i = 0; i < 8; ++i) REQUIRE(::read(ends[0], &acknowledged[i], 1) == 1);
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    ::close(ends[0]);
    ::close(ends[1]);
    std::uint64_t next = 0;
    open(directory).replay([&](std::uint32_t, const Bytes& entry) {
      REQUIRE(entry.text() == std::to_string(next));
      ++next;
    });
    REQUIRE(next >= entries + 8);
    entries = next;
  }
}

TEST_CASE("where the disk has no more room, the log stops with the reason and loses nothing") {
  Directory directory;
  const int status = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit limit{3000, 3000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const SegmentConfig config{.segment_size = 2048};
    try {
      SegmentWal<PosixFiles> wal(PosixFiles(directory.path()), config);
      wal.append(1, Bytes("small"), RetentionIndex(0));
      wal.sync();
      wal.append(1, Bytes(std::string(5000, 'x')), RetentionIndex(0));
      return 2;
    } catch (const ModuleFailure& failure) {
      const std::string text = failure.what();
      return text == "cannot reserve space for " + directory.path() +
                         "/segment.new: File too large"
                 ? 0
                 : 3;
    }
  });
  CHECK(status == 0);
  std::string text;
  SegmentWal<PosixFiles>(PosixFiles(directory.path()), {.segment_size = 2048})
      .replay([&](std::uint32_t, const Bytes& entry) { text += entry.text(); });
  CHECK(text == "small");
}

TEST_CASE("a damaged log is refused, by file and offset, and repaired on demand") {
  Directory directory;
  {
    auto wal = open(directory);
    for (int i = 0; i < 10; ++i) {
      wal.append(1, Bytes(std::string(100, 'x')), RetentionIndex(0));
      wal.sync();
    }
  }
  const std::string path = directory.path() + "/segment-00000000000000000000";
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(900);
    file.put('y');
  }
  try {
    (void)open(directory);
    FAIL("the damage was not noticed");
  } catch (const LogCorruption& corruption) {
    CHECK(corruption.file() == path);
    CHECK(corruption.offset() <= 900);
    CHECK(corruption.offset() > 900 - 144);
  }
  {
    PosixFiles files(directory.path());
    const LogReport report = repair_log(files);
    CHECK(report.outcome == LogOutcome::clean);
    CHECK(report.events == 1);
  }
  CHECK_NOTHROW(open(directory));
}

TEST_CASE("a store outlives its process") {
  Directory directory;
  const RequestRef reference{ClientId(1), ReqNo(2), {}};
  {
    SegmentStore<PosixFiles> store(PosixFiles(directory.path()));
    store.put(reference, Bytes("body"), Bytes("signature"));
    store.sync();
  }
  SegmentStore<PosixFiles> store(PosixFiles(directory.path()));
  const Request* found = store.get(reference);
  REQUIRE(found);
  CHECK(*found == Request{ClientId(1), ReqNo(2), Bytes("body"), Bytes("signature")});
}

}  // namespace mirbft::posix_test
