#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/types/client_window.hpp>

#include <mirbft/protocol/iss/checkpoints.hpp>

namespace mirbft::iss {
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
Digest digest(std::uint8_t byte) {
  Digest made;
  made.bytes[0] = byte;
  return made;
}

}  // namespace

TEST_CASE("a header is there with its last part, whatever order they come in") {
  using Part = CheckpointPart;
  const std::vector<Part> parts{Part::policy,     Part::log,       Part::parameters,
                                Part::membership, Part::app_state, Part::clients};
  Checkpoint checkpoint;
  checkpoint.begin(Epoch(3), SeqNr(63), {{ClientId(1), ReqNo(5), Bytes("\x01")}});
  checkpoint.app_length(77);
  std::optional<CheckpointHeader> made;
  for (const Part part : parts) {
    CHECK_FALSE(made);
    CHECK_FALSE(checkpoint.own());
    made = checkpoint.part(part, digest(static_cast<std::uint8_t>(100 + static_cast<int>(part))));
  }
  REQUIRE(made);
  CHECK(checkpoint.own() == made);
  CHECK(made->epoch == Epoch(3));
  CHECK(made->last == SeqNr(63));
  CHECK(made->app_length == 77);
  CHECK(made->log == digest(100));
  CHECK(made->app_state == digest(101));
  CHECK(made->clients == digest(102));
  CHECK(made->policy == digest(103));
  CHECK(made->membership == digest(104));
  CHECK(made->parameters == digest(105));
}

TEST_CASE("the windows are kept without what is delivered in them: that is not collected by") {
  Checkpoint checkpoint;
  checkpoint.begin(Epoch(0), SeqNr(15), {{ClientId(1), ReqNo(5), Bytes("\x01")}});
  CHECK(checkpoint.windows() == std::vector<ClientWindow>{{ClientId(1), ReqNo(5), {}}});
}

TEST_CASE("signatures are checked once there could be a quorum, each once") {
  Checkpoint checkpoint;
  CHECK(checkpoint.keep(0, vote(0), true, members));
  CHECK(checkpoint.keep(1, vote(1), false, members));
  CHECK_FALSE(checkpoint.keep(1, vote(1), false, members));
  CHECK(checkpoint.keep(2, vote(2, header(1)), false, members));
  CHECK(checkpoint.to_check(header(), 3).empty());
  CHECK(checkpoint.keep(3, vote(3), false, members));
  CHECK(checkpoint.to_check(header(), 3) == std::vector<std::size_t>{1, 3});
  CHECK(checkpoint.to_check(header(), 3).empty());
  CHECK(checkpoint.signature(3) == Bytes("signed by 3"));
}

TEST_CASE("a quorum of valid signatures under one header certifies it") {
  Checkpoint checkpoint;
  for (std::size_t i = 0; i < members; ++i)
    checkpoint.keep(i, vote(i, header(i == 2 ? 1 : 0)), i == 0, members);
  CHECK_FALSE(checkpoint.certified(cluster()));
  checkpoint.checked(1, true);
  checkpoint.checked(2, true);
  CHECK_FALSE(checkpoint.certified(cluster()));  // three are valid, of two headers
  checkpoint.checked(3, true);
  const auto certified = checkpoint.certified(cluster());
  REQUIRE(certified);
  CHECK(certified->header == header());
  REQUIRE(certified->certificate.size() == 3);
  CHECK(certified->certificate[0].node == NodeId(0));
  CHECK(certified->certificate[2].node == NodeId(30));
  CHECK(certified->certificate[2].signature == Bytes("signed by 3"));
}

TEST_CASE("a forged vote is dropped, and its member may vote") {
  Checkpoint checkpoint;
  checkpoint.keep(0, vote(0), true, members);
  checkpoint.keep(1, vote(1), false, members);
  checkpoint.keep(2, {header(), Bytes("forged")}, false, members);
  for (const std::size_t member : checkpoint.to_check(header(), 3))
    checkpoint.checked(member, member != 2);
  CHECK_FALSE(checkpoint.certified(cluster()));
  CHECK(checkpoint.keep(2, vote(2), false, members));
  CHECK(checkpoint.to_check(header(), 3) == std::vector<std::size_t>{2});
  checkpoint.checked(2, true);
  CHECK(checkpoint.certified(cluster()));
}

TEST_CASE("others may certify what this replica has not got") {
  Checkpoint checkpoint;
  for (const std::size_t member : {1u, 2u, 3u}) {
    checkpoint.keep(member, vote(member, header(9)), false, members);
    checkpoint.checked(member, true);
  }
  CHECK_FALSE(checkpoint.own());
  REQUIRE(checkpoint.certified(cluster()));
  CHECK(checkpoint.certified(cluster())->header == header(9));
}

}  // namespace mirbft::iss
