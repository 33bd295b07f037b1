#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/cast.hpp>

#include "stage.hpp"

namespace mirbft::testing::kinds_test {

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

TEST_CASE("roles are drawn for some of the suspects, and sooner or later of all kinds") {
  for (const std::size_t suspects : {1u, 2u}) {
    std::set<std::size_t> sizes;
    AdversaryKinds seen;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const sim::Roles roles =
          sim::draw_roles(AdversaryKinds::all(), members(suspects), sim::Random(seed));
      sizes.insert(roles.replicas.size());
      for (const std::size_t kind : roles.clients.of_clients()) seen.add(kind);
      for (const sim::Role& role : roles.replicas)
        for (const std::size_t kind : role.kinds.of_replicas()) seen.add(kind);
    }
    CHECK(*sizes.begin() == 1);
    CHECK(*sizes.rbegin() == suspects);
    CHECK(seen == AdversaryKinds::all());
  }
}

TEST_CASE("where no replica may be faulty, a client may") {
  CHECK_THROWS_AS(sim::draw_roles(parse_adversary_kinds("flood"), {}, sim::Random(1)),
                  ConfigError);
  const sim::Roles roles =
      sim::draw_roles(parse_adversary_kinds("two_payloads"), {}, sim::Random(1));
  CHECK(roles.replicas.empty());
  CHECK(roles.clients == parse_adversary_kinds("two_payloads"));
}

TEST_CASE("a cast is those whom the roles name, and counts what each kind has done") {
  sim::Roles roles;
  roles.replicas = {{NodeId(2), parse_adversary_kinds("false_replies,flood")}};
  roles.clients = parse_adversary_kinds("two_payloads");
  const sim::Cast cast(roles, members(4), short_hash, sim::Random(1));
  CHECK(cast.nodes() == std::vector{NodeId(2)});
  CHECK(cast.of(NodeId(1)) == nullptr);
  REQUIRE(cast.of(NodeId(2)) != nullptr);
  CHECK(cast.clients().size() == 1);
  Replied reply;
  cast.of(NodeId(2))->reply(reply);
  CHECK(to_string(cast.counts().missing(parse_adversary_kinds("false_replies,flood"))) == "flood");
}

}  // namespace mirbft::testing::kinds_test
