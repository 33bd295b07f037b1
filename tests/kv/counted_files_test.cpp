#include "../../examples/kv/counted_files.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include <unistd.h>

#include <mirbft/modules/files/posix.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace kv::counted_files_test {

TEST_CASE("who is told to end while it reads stops at the next read, and can still write") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("mirbft-counted-" + std::to_string(::getpid()));
  Reading reading;
  {
    CountedFiles<mirbft::PosixFiles> files(mirbft::PosixFiles(folder.string()), reading);
    auto file = files.create("file", 16);
    file.write(0, mirbft::bytes_of("some bytes"));
    std::array<std::uint8_t, 4> some{};
    file.read(5, some);
    CHECK(std::string(some.begin(), some.end()) == "byte");
    CHECK(reading.bytes() == 4);
    reading.interrupt();
    CHECK(reading.is_interrupted());
    CHECK_THROWS_AS(file.read(0, some), mirbft::ModuleFailure);
    CHECK(reading.bytes() == 4);
    file.write(0, mirbft::bytes_of("more bytes"));
    file.sync();
  }
  std::filesystem::remove_all(folder);
}

}  // namespace kv::counted_files_test
