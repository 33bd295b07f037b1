#include <string>

#include <doctest/doctest.h>

#include <mirbft/sim/file_system.hpp>
#include <mirbft/sim/files.hpp>

namespace mirbft::sim::file_system_test {

TEST_CASE("trouble that is taken back does not come") {
  FileSystem system{Random(1)};
  Files files(system, "a");
  system.fail_after(0);
  system.spare();
  CHECK_NOTHROW((void)files.create("x", 1));
  CHECK(system.struck(FileTrouble::power) == 0);
}

TEST_CASE("trouble waits for an operation that it can hit") {
  FileSystem system{Random(1)};
  Files files(system, "a");
  File file = files.create("x", 1);
  system.fail_after(0, FileTrouble::failed_sync);
  CHECK_NOTHROW(file.write(0, bytes_of("1")));
  CHECK_NOTHROW(files.rename("x", "y"));
  CHECK_THROWS_AS(file.sync(), ModuleFailure);
  CHECK(system.struck(FileTrouble::failed_sync) == 1);
}

TEST_CASE("an image holds what is on the disk, and not what is only written") {
  FileSystem system{Random(1)};
  Files files(system, "a");
  File file = files.create("x", 1);
  CHECK(system.image().empty());
  file.write(0, bytes_of("1"));
  file.sync();
  files.sync();
  file.write(0, bytes_of("2"));
  const FileSystem::Image image = system.image();
  REQUIRE(image.contains("a/x"));
  CHECK(image.at("a/x").durable()[0] == '1');
  // It is a copy: what happens later does not reach it.
  file.sync();
  CHECK(image.at("a/x").durable()[0] == '1');
}

TEST_CASE("a crash counts what is lost") {
  FileSystem system{Random(1)};
  {
    Files files(system, "a");
    File file = files.create("x", 1024);
    file.sync();
    files.sync();
    file.write(0, bytes_of("1"));
    file.write(600, bytes_of("1"));
    files.rename("x", "y");
  }
  CHECK(system.crash(Tail::lost).lost == 3);
  CHECK(system.crash(Tail::lost).lost == 0);
  CHECK(system.paths().size() == 1);
}

}  // namespace mirbft::sim::file_system_test
