// Leaders that say nothing: the others give up on them and go on.
#include <cstddef>
#include <cstdint>

#include <doctest/doctest.h>

#include "../support/cluster.hpp"

namespace mirbft::silent_leader_test {

using testing::Cluster;

TEST_CASE("a silent replica does not stop the others") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    Cluster cluster({.nodes = 4, .seed = seed});
    cluster.silence(3);
    for (std::uint64_t i = 0; i < 400; ++i) {
      const Request request = Cluster::request(i % 4, i / 4);
      for (std::size_t to = 0; to < 3; ++to)
        REQUIRE(cluster.submit(to, request, Spread::by_client) == Submitted::accepted);
    }
    REQUIRE(cluster.deliver(400));
    for (std::size_t i = 0; i < 3; ++i) {
      testing::check_log(cluster.log(i));
      CHECK(cluster.log(i).size() == 400);
      CHECK((cluster.log(i) == cluster.log(0)));
    }
  }
}

TEST_CASE("two silent replicas of seven do not stop the others") {
  Cluster cluster({.nodes = 7, .seed = 5});
  cluster.silence(0);
  cluster.silence(4);
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Request request = Cluster::request(i % 4, i / 4);
    for (const std::size_t to : {1u, 2u, 3u, 5u, 6u})
      REQUIRE(cluster.submit(to, request, Spread::by_client) == Submitted::accepted);
  }
  REQUIRE(cluster.deliver(300));
  for (const std::size_t i : {2u, 3u, 5u, 6u}) CHECK((cluster.log(i) == cluster.log(1)));
}

}  // namespace mirbft::silent_leader_test
