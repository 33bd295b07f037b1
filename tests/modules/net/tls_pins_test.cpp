#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>

#include <mirbft/modules/net/tls_pins.hpp>

namespace mirbft::tls_pins_test {

namespace {

const Digest red{{1}};
const Digest green{{2}};
const Digest blue{{3}};

}  // namespace

TEST_CASE("a certificate belongs to the node that it is pinned for, and to no other") {
  const TlsPins pins({{NodeId(0), {red}}, {NodeId(1), {green, blue}}});
  CHECK(pins.owner(red) == NodeId(0));
  CHECK(pins.owner(green) == NodeId(1));
  CHECK(pins.owner(blue) == NodeId(1));
  CHECK(pins.owner(Digest{{4}}) == std::nullopt);
  CHECK(pins.owner(Digest{}) == std::nullopt);
  CHECK(pins.of(NodeId(1)) == std::set{green, blue});
  CHECK(pins.has(NodeId(0)));
  CHECK_FALSE(pins.has(NodeId(2)));
  CHECK_FALSE(TlsPins().has(NodeId(0)));
}

TEST_CASE("a change adds the new certificate, and ends with it alone") {
  TlsPins pins({{NodeId(0), {red}}, {NodeId(1), {blue}}});
  pins.add(NodeId(0), green);
  CHECK(pins.of(NodeId(0)) == std::set{red, green});
  pins.add(NodeId(0), green);
  CHECK(pins.of(NodeId(0)) == std::set{red, green});
  pins.set(NodeId(0), green);
  CHECK(pins.of(NodeId(0)) == std::set{green});
  CHECK(pins.owner(red) == std::nullopt);
  CHECK(pins.of(NodeId(1)) == std::set{blue});
  // What one node has given up, another may have.
  pins.set(NodeId(1), red);
  CHECK(pins.owner(red) == NodeId(1));
}

TEST_CASE("what is no pin is refused and changes nothing") {
  const std::map<NodeId, std::set<Digest>> none{{NodeId(3), {}}};
  CHECK_THROWS_WITH_AS((TlsPins(none)),
                       "certificates of node 3 = none: name at least one certificate", ConfigError);
  CHECK_THROWS_AS(TlsPins({{NodeId(0), {red}}, {NodeId(1), {red}}}), ConfigError);
  TlsPins pins({{NodeId(0), {red}}, {NodeId(1), {blue}}});
  CHECK_THROWS_AS(pins.set(NodeId(0), blue), ConfigError);
  CHECK_THROWS_AS(pins.add(NodeId(0), blue), ConfigError);
  CHECK_THROWS_AS(pins.set(NodeId(0), Digest{}), ConfigError);
  CHECK(pins.of(NodeId(0)) == std::set{red});
  CHECK(pins.of(NodeId(1)) == std::set{blue});
}

}  // namespace mirbft::tls_pins_test
