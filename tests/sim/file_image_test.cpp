#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/file_image.hpp>

namespace mirbft::sim::file_image_test {
namespace {

/// One letter a sector.
std::string letters(ByteView bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += FileImage::sector)
    text += bytes[at] ? static_cast<char>(bytes[at]) : '.';
  return text;
}
void fill(FileImage& file, std::size_t first, const std::string& text) {
  for (const char letter : text) {
    const std::vector<std::uint8_t> bytes(FileImage::sector, static_cast<std::uint8_t>(letter));
    file.write(first++ * FileImage::sector, bytes);
  }
}
FileImage durable(const std::string& text) {
  FileImage file(text.size() * FileImage::sector);
  fill(file, 0, text);
  file.sync();
  return file;
}

}  // namespace

TEST_CASE("what is written is read at once, and durable after a sync") {
  FileImage file = durable("abcd");
  fill(file, 1, "x");
  CHECK(letters(file.cached()) == "axcd");
  CHECK(letters(file.durable()) == "abcd");
  file.sync();
  CHECK(letters(file.durable()) == "axcd");
}

TEST_CASE("a crash leaves each sector of a write as it was or as it was to be") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    FileImage file = durable("abcd");
    fill(file, 1, "xyz");
    const std::size_t lost = file.crash(Tail::drawn, random).lost;
    const std::string left = letters(file.cached());
    seen.insert(left);
    CHECK(letters(file.durable()) == left);
    CHECK(left[0] == 'a');
    CHECK(lost == static_cast<std::size_t>((left[1] == 'b') + (left[2] == 'c') + (left[3] == 'd')));
  }
  CHECK(seen.size() == 8);
}
TEST_CASE("a crash may be made to leave all, or nothing") {
  Random random(1);
  FileImage file = durable("abcd");
  fill(file, 1, "xy");
  CHECK(file.crash(Tail::lost, random).lost == 2);
  CHECK(letters(file.cached()) == "abcd");
  fill(file, 1, "xy");
  CHECK(file.crash(Tail::kept, random).lost == 0);
  CHECK(letters(file.cached()) == "axyd");
}
TEST_CASE("a file that was never synced may be empty after a crash") {
  Random random(1);
  FileImage file(2 * FileImage::sector);
  fill(file, 0, "ab");
  file.crash(Tail::lost, random);
  CHECK(file.size() == 0);
}

TEST_CASE("after a failed sync the file may look whole, but a crash shows that it is not") {
  for (const Tail seen : {Tail::kept, Tail::lost}) {
    Random random(1);
    FileImage file = durable("ab");
    fill(file, 1, "x");
    file.lose_sync(seen);
    CHECK(letters(file.cached()) == (seen == Tail::kept ? "ax" : "ab"));
    file.sync();
    CHECK(letters(file.durable()) == "ab");
    file.crash(Tail::kept, random);
    CHECK(letters(file.cached()) == "ab");
    // Only what is written again gets to the disk.
    fill(file, 1, "x");
    file.sync();
    CHECK(letters(file.durable()) == "ax");
  }
}

TEST_CASE("bits flip, and files get shorter") {
  FileImage file = durable("ab");
  file.flip(8 * FileImage::sector + 1);
  CHECK(file.cached()[FileImage::sector] == ('b' ^ 2));
  CHECK(file.durable()[FileImage::sector] == ('b' ^ 2));
  file.cut(FileImage::sector);
  CHECK(letters(file.cached()) == "a");
  CHECK(letters(file.durable()) == "a");
}

}  // namespace mirbft::sim::file_image_test
