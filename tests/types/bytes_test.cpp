#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <mirbft/types/bytes.hpp>

namespace mirbft::bytes_test {

TEST_CASE("bytes hold a copy of what they were made from") {
  std::vector<std::uint8_t> source{1, 2, 3};
  const Bytes bytes{ByteView(source)};
  source[0] = 9;
  CHECK(bytes == Bytes{1, 2, 3});
  CHECK(bytes.size() == 3);
  CHECK(bytes[2] == 3);
  CHECK(std::equal(bytes.begin(), bytes.end(), bytes.view().begin(), bytes.view().end()));
  CHECK(Bytes("text").text() == "text");
  CHECK(Bytes(std::string_view("a\0b", 3)).size() == 3);
}

TEST_CASE("nothing is allocated or filled for an empty string") {
  bool filled = false;
  const Bytes empty = Bytes::filled(0, [&](std::uint8_t*) { filled = true; });
  CHECK_FALSE(filled);
  CHECK(empty.empty());
  CHECK(empty.data() == nullptr);
  CHECK(empty == Bytes());
  CHECK(empty == Bytes(""));
  CHECK(empty.view().empty());
  CHECK(empty.text().empty());
}

TEST_CASE("an encoder fills bytes in place") {
  const Bytes bytes = Bytes::filled(4, [](std::uint8_t* out) {
    for (std::uint8_t i = 0; i < 4; ++i) out[i] = i;
  });
  CHECK(bytes == Bytes{0, 1, 2, 3});
}

TEST_CASE("copies and slices share the storage and keep it alive") {
  Bytes whole("a payload that travels");
  const Bytes copy = whole;
  const Bytes part = whole.slice(2, 7);
  CHECK(copy.data() == whole.data());
  CHECK(part.data() == whole.data() + 2);
  whole = Bytes("something else");
  CHECK(copy.text() == "a payload that travels");
  CHECK(part.text() == "payload");
  CHECK(part.slice(3, 4).text() == "load");
}

TEST_CASE("a slice is cut at the end, whatever is asked for") {
  constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();
  const Bytes bytes("abc");
  CHECK(bytes.slice(1, huge).text() == "bc");
  CHECK(bytes.slice(3, 1).empty());
  CHECK(bytes.slice(huge, huge).empty());
  CHECK(Bytes().slice(1, 1).empty());
}

TEST_CASE("a moved-from string is empty, and assigning to oneself changes nothing") {
  Bytes bytes("abc");
  const Bytes moved = std::move(bytes);
  CHECK(moved.text() == "abc");
  CHECK(bytes.empty());  // NOLINT: that is what is checked
  Bytes& same = bytes = moved;
  same = bytes;
  CHECK(bytes.text() == "abc");
}

TEST_CASE("bytes order like unsigned numbers, a prefix before what it begins") {
  CHECK(Bytes{0x7f} < Bytes{0x80});
  CHECK(Bytes("ab") < Bytes("abc"));
  CHECK(Bytes("abc") < Bytes("b"));
  CHECK(Bytes() < Bytes{0});
  CHECK((Bytes("ab") <=> Bytes("abab").slice(2, 2)) == std::strong_ordering::equal);
}

TEST_SUITE("threads") {
  TEST_CASE("two threads copy, slice and drop the same bytes") {
    for (int round = 0; round < 50; ++round) {
      Bytes first(std::string(100, 'x'));
      Bytes second = first;
      const auto use = [](Bytes mine) {
        std::size_t seen = 0;
        for (std::size_t i = 0; i < 100; ++i) {
          const Bytes copy = mine;
          seen += copy.slice(i, 1).text() == "x";
        }
        return seen;
      };
      std::size_t seen = 0;
      // The last of the two to finish frees the storage: that is what is watched here.
      std::thread other([&seen, use, bytes = std::move(second)]() mutable {
        seen = use(std::move(bytes));
      });
      const std::size_t seen_here = use(std::move(first));
      other.join();
      CHECK(seen == 100);
      CHECK(seen_here == 100);
    }
  }
}

}  // namespace mirbft::bytes_test
