#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss/checkpoints.hpp>

namespace mirbft::iss::checkpoints_test {
namespace {

constexpr std::size_t members = 4;

Cluster cluster() {
  IssConfig config;
  for (std::size_t i = 0; i < members; ++i) config.members.push_back(NodeId(10 * i));
  return Cluster(config, Quorum(config.members.size()));
}
CheckpointHeader header(std::uint64_t app_length = 0) {
  CheckpointHeader made;
  made.app_length = app_length;
  return made;
}
CheckpointVote vote(std::size_t member, const CheckpointHeader& of = header()) {
  return {of, Bytes("signed by " + std::to_string(member))};
}

}  // namespace

TEST_CASE("signatures are checked once there could be a quorum, each once") {
  CheckpointVotes votes;
  CHECK(votes.keep(0, vote(0), true, members));
  CHECK(votes.keep(1, vote(1), false, members));
  CHECK(votes.keep(1, vote(1), false, members));
  CHECK_FALSE(votes.keep(1, vote(1, header(1)), false, members));
  CHECK(votes.keep(2, vote(2, header(1)), false, members));
  CHECK(votes.to_check(header(), 3).empty());
  CHECK(votes.keep(3, vote(3), false, members));
  CHECK(votes.to_check(header(), 3) == std::vector<std::size_t>{1, 3});
  CHECK(votes.to_check(header(), 3).empty());
  CHECK(votes.signature(3) == Bytes("signed by 3"));
}

TEST_CASE("a quorum of valid signatures under one header certifies it") {
  CheckpointVotes votes;
  for (std::size_t i = 0; i < members; ++i)
    votes.keep(i, vote(i, header(i == 2 ? 1 : 0)), i == 0, members);
  CHECK_FALSE(votes.certified(cluster()));
  votes.checked(1, true);
  votes.checked(2, true);
  CHECK_FALSE(votes.certified(cluster()));  // three are valid, of two headers
  votes.checked(3, true);
  const auto certified = votes.certified(cluster());
  REQUIRE(certified);
  CHECK(certified->header == header());
  REQUIRE(certified->certificate.size() == 3);
  CHECK(certified->certificate[0].node == NodeId(0));
  CHECK(certified->certificate[2].node == NodeId(30));
  CHECK(certified->certificate[2].signature == Bytes("signed by 3"));
}

TEST_CASE("a forged vote is dropped, and its member may vote") {
  CheckpointVotes votes;
  votes.keep(0, vote(0), true, members);
  votes.keep(1, vote(1), false, members);
  votes.keep(2, {header(), Bytes("forged")}, false, members);
  for (const std::size_t member : votes.to_check(header(), 3))
    votes.checked(member, member != 2);
  CHECK_FALSE(votes.certified(cluster()));
  CHECK(votes.keep(2, vote(2), false, members));
  CHECK(votes.to_check(header(), 3) == std::vector<std::size_t>{2});
  votes.checked(2, true);
  CHECK(votes.certified(cluster()));
}

TEST_CASE("a certificate has no more signatures than a quorum") {
  CheckpointVotes votes;
  for (std::size_t i = 0; i < members; ++i) votes.keep(i, vote(i), true, members);
  CHECK(votes.certified(cluster())->certificate.size() == 3);
}

TEST_CASE("others may certify what this replica has not got") {
  CheckpointVotes votes;
  for (const std::size_t member : {1u, 2u, 3u}) {
    votes.keep(member, vote(member, header(9)), false, members);
    votes.checked(member, true);
  }
  REQUIRE(votes.certified(cluster()));
  CHECK(votes.certified(cluster())->header == header(9));
}

}  // namespace mirbft::iss::checkpoints_test
