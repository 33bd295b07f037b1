#include <mirbft/wire/joined.hpp>

#include <cstddef>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::wire::joined_test {
namespace {

/// What `split` finds, and whether it takes it all.
struct Found {
  std::vector<Bytes> parts;
  bool all = false;
};
Found find(const Bytes& joined, std::size_t most = 10) {
  Found found;
  found.all = split(joined, most, [&](const Bytes& part) {
    found.parts.push_back(part);
    return true;
  });
  return found;
}

const Bytes first{0x0a, 0x02, 0x08, 0x01}, second{0x12, 0x00}, third{0x0a, 0x00};

}  // namespace

TEST_CASE("what was joined is found again, part by part") {
  const Found found = find(join({first, second, third}));
  CHECK(found.all);
  CHECK(found.parts == std::vector<Bytes>{first, second, third});
}

TEST_CASE("a part alone shares its storage, each of several has its own") {
  CHECK(find(first).parts.front().data() == first.data());
  const Bytes joined = join({first, second});
  CHECK(find(joined).parts.front().data() != joined.data());
}

TEST_CASE("nothing, too many parts, half a part and what is no part at all are refused") {
  CHECK_FALSE(find(Bytes()).all);
  const Bytes joined = join({first, second, third});
  CHECK(find(joined, 3).all);
  const Found too_many = find(joined, 2);
  CHECK_FALSE(too_many.all);
  CHECK(too_many.parts.size() == 2);
  for (std::size_t size : {std::size_t{1}, std::size_t{3}, joined.size() - 1}) {
    CAPTURE(size);
    CHECK_FALSE(find(joined.slice(0, size)).all);
  }
  for (const Bytes& wrong : {Bytes{0x08, 0x01}, Bytes{0x00, 0x00}, Bytes{0x0b, 0x0c}, Bytes{0xff}})
    CHECK_FALSE(find(join({first, wrong})).all);
}

TEST_CASE("who takes no more ends it") {
  int taken = 0;
  CHECK_FALSE(split(join({first, second, third}), 10, [&](const Bytes&) { return ++taken < 2; }));
  CHECK(taken == 2);
}

}  // namespace mirbft::wire::joined_test
