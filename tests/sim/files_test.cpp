#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/sim/files.hpp>

namespace mirbft::sim::files_test {
namespace {

static_assert(IsFiles<Files>);

void write(Files& files, const std::string& name, const std::string& text) {
  File file = files.create(name, text.size());
  file.write(0, bytes_of(text));
  file.sync();
}
std::string read(Files& files, const std::string& name) {
  File file = files.open(name);
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("directories do not see one another's files") {
  FileSystem system{Random(1)};
  Files first(system, "a");
  Files second(system, "b");
  write(first, "x", "1");
  write(second, "x", "2");
  write(second, "y", "3");
  CHECK(first.list() == std::vector<std::string>{"x"});
  CHECK(second.list() == std::vector<std::string>{"x", "y"});
  CHECK(read(first, "x") == "1");
  CHECK(system.paths() == std::vector<std::string>{"a/x", "b/x", "b/y"});
}

TEST_CASE("a directory has one user at a time") {
  FileSystem system{Random(1)};
  {
    const Files files(system, "a");
    CHECK_THROWS_AS(Files(system, "a"), ModuleFailure);
    CHECK_NOTHROW(Files(system, "b"));
  }
  CHECK_NOTHROW(Files(system, "a"));
}

TEST_CASE("changes of names may be lost, each for itself, until the directory is synced") {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    FileSystem system{Random(seed)};
    {
      Files files(system, "a");
      Files other(system, "b");
      write(files, "old", "1");
      write(files, "gone", "2");
      files.sync();
      files.rename("old", "new");
      files.remove("gone");
      write(files, "made", "3");
      other.sync();
      CHECK(files.list() == std::vector<std::string>{"made", "new"});
    }
    system.crash();
    Files files(system, "a");
    seen.insert(files.list());
    for (const char* name : {"old", "new"})
      if (system.find(std::string("a/") + name)) CHECK(read(files, name) == "1");
  }
  CHECK(seen.size() == 8);
}

TEST_CASE("what was synced stays, whatever a crash takes") {
  FileSystem system{Random(1)};
  {
    Files files(system, "a");
    write(files, "x", "1");
    files.rename("x", "y");
    files.sync();
  }
  system.crash(Tail::lost);
  Files files(system, "a");
  CHECK(files.list() == std::vector<std::string>{"y"});
  CHECK(read(files, "y") == "1");
}

TEST_CASE("a killed process leaves all that it wrote") {
  FileSystem system{Random(1)};
  {
    Files files(system, "a");
    files.create("x", 1).write(0, bytes_of("1"));
  }
  system.fail();
  system.kill();
  Files files(system, "a");
  CHECK(read(files, "x") == "1");
}

TEST_CASE("the power fails at an operation, which is not done, nor any after it") {
  FileSystem system{Random(1)};
  Files files(system, "a");
  File file = files.create("x", 1);
  CHECK(system.operations() == 1);
  system.fail_after(1);
  file.write(0, bytes_of("1"));
  CHECK_THROWS_AS(file.sync(), PowerFailure);
  CHECK(system.failed());
  CHECK_THROWS_AS(file.write(0, bytes_of("2")), PowerFailure);
  CHECK_THROWS_AS((void)files.list(), PowerFailure);
  CHECK(system.struck(FileTrouble::power) == 1);
  CHECK(system.find("a/x")->durable().empty());
}

TEST_CASE("one operation is refused, and none after it") {
  FileSystem system{Random(1)};
  Files files(system, "a");
  system.fail_after(0, FileTrouble::no_space);
  CHECK_THROWS_WITH_AS((void)files.create("x", 1),
                       "cannot reserve space for a/x: no space left on the disk", ModuleFailure);
  File file = files.create("x", 1);
  system.fail_after(0, FileTrouble::failed_sync);
  file.write(0, bytes_of("1"));
  CHECK_THROWS_WITH_AS(file.sync(), "cannot sync a/x: input/output error", ModuleFailure);
  CHECK_NOTHROW(file.sync());
  CHECK(system.find("a/x")->durable().empty());
  system.fail_after(0, FileTrouble::io_error);
  CHECK_THROWS_WITH_AS((void)read(files, "x"), "cannot open a/x: input/output error",
                       ModuleFailure);
  CHECK(system.failed());
  system.kill();
  CHECK(!system.failed());
}

TEST_CASE("a misdirected write hits another place of its file") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    FileSystem system{Random(seed)};
    Files files(system, "a");
    File file = files.create("x", 4096);
    system.fail_after(0, FileTrouble::misdirected_write);
    file.write(512 + 7, bytes_of("1"));
    CHECK(!system.failed());
    const ByteView bytes = system.find("a/x")->cached();
    CHECK(bytes.size() == 4096);
    CHECK(bytes[512 + 7] == 0);
    std::size_t hits = 0;
    for (std::size_t at = 7; at < bytes.size(); at += 512) hits += bytes[at] == '1';
    CHECK(hits == 1);
  }
}

TEST_CASE("a disk rots, is lost, and is set back") {
  FileSystem system{Random(1)};
  CHECK(!system.rot());
  {
    Files files(system, "a");
    write(files, "x", "1");
    files.sync();
  }
  const FileSystem::Image image = system.image();
  CHECK(system.rot());
  {
    Files files(system, "a");
    CHECK(read(files, "x") != "1");
    write(files, "y", "2");
    files.sync();
  }
  system.restore(image);
  {
    Files files(system, "a");
    CHECK(files.list() == std::vector<std::string>{"x"});
    CHECK(read(files, "x") == "1");
  }
  system.wipe();
  CHECK(system.paths().empty());
}

}  // namespace mirbft::sim::files_test
