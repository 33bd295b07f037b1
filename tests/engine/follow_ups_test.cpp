#include <mirbft/engine/follow_ups.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::follow_ups_test {

using namespace mirbft::engine;

namespace {

struct Named {
  std::string name;
};
struct Other {
  std::shared_ptr<int> token;
};
using Slab = FollowUpSlab<events<Named, Other>>;

/// The names of a list and, in brackets behind each, of its own follow-ups.
std::string taken(Slab& slab, FollowUps list) {
  std::string text;
  slab.release(list, [&]<class E>(E&& event, FollowUps next) {
    if constexpr (std::is_same_v<E, Named>) text += event.name;
    if (next) text += "(" + taken(slab, next) + ")";
  });
  return text;
}

}  // namespace

TEST_CASE("follow-ups come out in the order in which they were appended, at any depth") {
  Slab slab;
  CHECK(slab.is_unused());
  for (int round = 0; round < 3; ++round) {
    FollowUps list;
    FollowUps& of_a = slab.append(list, Named{"a"});
    slab.append(list, Named{"b"});
    FollowUps& of_a1 = slab.append(of_a, Named{"1"});
    slab.append(of_a, Named{"2"});
    slab.append(of_a1, Named{"x"});
    FollowUps& of_c = slab.append(list, Named{"c"});
    slab.append(of_c, Named{"3"});
    CHECK(taken(slab, list) == "a(1(x)2)bc(3)");
  }
  CHECK_FALSE(slab.is_unused());
}

TEST_CASE("a chain of follow-ups may be deep and a list of them long") {
  Slab slab;
  FollowUps list;
  FollowUps* place = &list;
  for (int depth = 0; depth < 1000; ++depth) place = &slab.append(*place, Named{"d"});
  FollowUps wide;
  for (int i = 0; i < 1000; ++i) slab.append(wide, Named{"w"});

  std::size_t depth = 0;
  while (list) {
    FollowUps next;
    slab.release(list, [&](auto&&, FollowUps own) { next = own; });
    list = next;
    ++depth;
  }
  CHECK(depth == 1000);
  CHECK(taken(slab, wide) == std::string(1000, 'w'));
}

TEST_CASE("places are used again") {
  Slab slab;
  FollowUps first;
  slab.append(first, Named{"a"});
  const void* const place = first.first;
  taken(slab, first);
  FollowUps second;
  slab.append(second, Named{"b"});
  CHECK(second.first == place);
  taken(slab, second);
}

TEST_CASE("follow-ups that were never released end with the slab") {
  const auto token = std::make_shared<int>(0);
  {
    Slab slab;
    FollowUps list, other;
    FollowUps& nested = slab.append(list, Other{token});
    slab.append(nested, Other{token});
    slab.append(other, Other{token});
    slab.append(list, Other{token});
    CHECK(token.use_count() == 5);
    taken(slab, other);
    CHECK(token.use_count() == 4);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("when the user of a follow-up throws, none is lost or destroyed twice") {
  const auto token = std::make_shared<int>(0);
  {
    Slab slab;
    FollowUps list;
    for (int i = 0; i < 3; ++i) slab.append(list, Other{token});
    int calls = 0;
    const auto use = [&](auto&&, FollowUps) {
      if (++calls == 2) throw std::runtime_error("full");
    };
    CHECK_THROWS_AS(slab.release(list, use), std::runtime_error);
    CHECK(token.use_count() == 2);
  }
  CHECK(token.use_count() == 1);
}

}  // namespace mirbft::follow_ups_test
