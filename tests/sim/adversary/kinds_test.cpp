#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/cast.hpp>

#include "stage.hpp"

namespace mirbft::testing {

using sim::adversary_kinds;
using sim::AdversaryKinds;
using sim::parse_adversary_kinds;

TEST_CASE("every kind has a name of its own, and is of a replica or of a client") {
  std::set<std::string_view> names;
  for (const sim::AdversaryKind& kind : adversary_kinds) {
    CHECK(names.insert(kind.name).second);
    CHECK(!kind.what.empty());
    CHECK((kind.replica != nullptr) != (kind.client != nullptr));
  }
}

TEST_CASE("kinds are read as they are printed") {
  CHECK(parse_adversary_kinds("all") == AdversaryKinds::all());
  CHECK(parse_adversary_kinds("none").none());
  CHECK(to_string(parse_adversary_kinds("flood,amnesia")) == "flood,amnesia");
  CHECK(to_string(AdversaryKinds{}) == "none");
  CHECK(parse_adversary_kinds(to_string(AdversaryKinds::all())) == AdversaryKinds::all());
  for (const char* wrong : {"", "flod", "flood,", "flood amnesia"})
    CHECK_THROWS_AS(parse_adversary_kinds(wrong), ConfigError);
}

namespace {

std::vector<NodeId> members(std::size_t count) {
  std::vector<NodeId> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(NodeId(i));
  return all;
}

}  // namespace

TEST_CASE("a cast is of f nodes at most, and sooner or later of all kinds") {
  for (const std::size_t nodes : {4u, 7u}) {
    std::set<std::size_t> sizes;
    std::set<std::size_t> clients;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const sim::Cast cast(AdversaryKinds::all(), members(nodes), short_hash, sim::Random(seed));
      sizes.insert(cast.nodes().size());
      clients.insert(cast.clients().begin(), cast.clients().end());
      for (const NodeId id : members(nodes)) {
        const auto faulty = cast.nodes();
        CHECK((cast.of(id) != nullptr) ==
              (std::find(faulty.begin(), faulty.end(), id) != faulty.end()));
      }
    }
    CHECK(*sizes.begin() == 1);
    CHECK(*sizes.rbegin() == (nodes - 1) / 3);
    CHECK(clients.size() == AdversaryKinds::all().of_clients().size());
  }
}

TEST_CASE("too few nodes can bear no adversary among them, but one among the clients") {
  const sim::Random random(1);
  CHECK_THROWS_AS(sim::Cast(parse_adversary_kinds("flood"), members(3), short_hash, random),
                  ConfigError);
  const sim::Cast cast(parse_adversary_kinds("two_payloads"), members(3), short_hash, random);
  CHECK(cast.nodes().empty());
  CHECK(cast.clients().size() == 1);
  CHECK(sim::Cast({}, members(1), short_hash, random).clients().empty());
}

}  // namespace mirbft::testing
