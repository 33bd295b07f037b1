// Epochs that differ from what was decided before them are caught.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/epoch_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::epoch_invariants_test {
namespace {

using namespace testing;
using namespace std::chrono_literals;

using Epochs = EpochsAgree<Blacklist>;

/// A request of a bucket that a segment of epoch 0 has.
RequestRef request_of(std::uint32_t segment) {
  const IssConfig config = seen_config();
  const iss::EpochPlan plan(Epoch(0), SeqNr(0), config.members, config.members, config);
  for (std::uint64_t number = 0;; ++number)
    if (plan.owner(iss::bucket_of(ClientId(1), ReqNo(number), plan.buckets())) == segment)
      return {ClientId(1), ReqNo(number), {}};
}
/// Decides all of an epoch of 8 numbers from `first` on; those that `nils` lists as nil.
void decide(auto& epochs, Findings& findings, std::uint64_t epoch, std::uint64_t first,
            std::uint64_t leaders, const std::vector<std::uint64_t>& nils = {}) {
  const std::uint64_t length = (8 + leaders - 1) / leaders * leaders;
  for (std::uint64_t i = 0; i < length; ++i) {
    const bool is_nil = std::ranges::find(nils, first + i) != nils.end();
    epochs.event(NodeId(0),
                 appended(DecidedEntry{{Epoch(epoch), static_cast<std::uint32_t>(i % leaders)},
                                       SeqNr(first + i), is_nil ? nil_digest : digest_of(1), {}}),
                 findings);
  }
}
WalAppend<EpochEntry> begins(std::uint64_t epoch, std::uint64_t first) {
  return appended(EpochEntry{Epoch(epoch), SeqNr(first)});
}

/// What these invariants ask of a replica.
struct FakeReplica {
  struct Status {
    Epoch epoch;
    SeqNr next_delivery;
    std::uint64_t open_segments = 0;
    std::chrono::nanoseconds timeout{};
  };
  Status standing;

  const FakeReplica& protocol() const { return *this; }
  Status status() const { return standing; }
};

}  // namespace

TEST_CASE("buckets: a request outside of its leader's buckets") {
  for (const std::uint32_t segment : {0u, 1u, 3u}) {
    CAPTURE(segment);
    Seen seen;
    Epochs epochs(seen_config());
    epochs.event(NodeId(0), Deliver{SeqNr(4), Batch({request_of(0), request_of(segment)})},
                 seen.findings);
    CHECK(seen.first() == (segment == 0 ? "" : "buckets"));
  }
}

TEST_CASE("leaders agree: a slot that is decided in a segment that does not own it") {
  for (const SegmentId segment : {SegmentId{Epoch(0), 1}, {Epoch(0), 2}, {Epoch(1), 1}}) {
    Seen seen;
    Epochs epochs(seen_config());
    epochs.event(NodeId(0), appended(DecidedEntry{segment, SeqNr(5), digest_of(1), {}}),
                 seen.findings);
    CHECK(seen.first() == (segment == SegmentId{Epoch(0), 1} ? "" : "leaders agree"));
  }
}

TEST_CASE("leaders agree: a proposal in another leader's segment") {
  for (const std::uint32_t segment : {0u, 1u, 4u}) {
    Seen seen;
    Epochs epochs(seen_config());
    epochs.event(NodeId(1), sent(PrePrepare{{Epoch(0), segment}, SeqNr(5), {}, {}}),
                 seen.findings);
    CHECK(seen.first() == (segment == 1 ? "" : "leaders agree"));
  }
}

TEST_CASE("leaders agree: who is suspected does not lead the next epoch") {
  Seen seen;
  Epochs epochs(seen_config());
  decide(epochs, seen.findings, 0, 0, 4, {5});
  CHECK(epochs.epochs() == 1);
  // Of the three that are left, node 2 leads segment 1.
  epochs.event(NodeId(2), sent(PrePrepare{{Epoch(1), 1}, SeqNr(9), {}, {}}), seen.findings);
  CHECK(seen.text() == "");
  epochs.event(NodeId(1), sent(PrePrepare{{Epoch(1), 1}, SeqNr(9), {}, {}}), seen.findings);
  CHECK(seen.first() == "leaders agree");
}

TEST_CASE("epochs agree: one begins at a wrong place, or too early") {
  Seen seen;
  Epochs epochs(seen_config());
  epochs.event(NodeId(0), begins(0, 0), seen.findings);
  std::uint64_t first = 8;
  SUBCASE("in its place") { decide(epochs, seen.findings, 0, 0, 4); }
  SUBCASE("too late") {
    decide(epochs, seen.findings, 0, 0, 4);
    first = 9;
  }
  SUBCASE("before anybody has decided all") {}
  const bool right = epochs.epochs() == 1 && first == 8;
  epochs.event(NodeId(1), begins(1, first), seen.findings);
  CHECK(seen.first() == (right ? "" : "epochs agree"));
}

namespace {

/// What a node says at the end of epoch 0, in which these were decided as nil.
std::string at_the_end(const std::vector<std::uint64_t>& nils, const Blacklist& policy,
                       const iss::Pace& pace) {
  Seen seen;
  Epochs epochs(seen_config());
  decide(epochs, seen.findings, 0, 0, 4, nils);
  CheckpointEntry entry = checkpoint_of(header_of(0));
  entry.state.policy = wire::encode(policy);
  entry.state.pace = wire::encode(pace);
  epochs.event(NodeId(0), appended(entry), seen.findings);
  return seen.first();
}

}  // namespace

TEST_CASE("leaders and time-outs agree: the state at the end of an epoch") {
  CHECK(at_the_end({}, {}, {1s, 1}) == "");
  CHECK(at_the_end({}, {{NodeId(1)}}, {1s, 1}) == "leaders agree");
  CHECK(at_the_end({5}, {{NodeId(1)}}, {1s, 0}) == "");
  CHECK(at_the_end({5}, {}, {1s, 0}) == "leaders agree");
  CHECK(at_the_end({}, {}, {1s, 0}) == "time-outs agree");
  CHECK(at_the_end({5, 6}, {{NodeId(1), NodeId(2)}}, {2s, 0}) == "");
  CHECK(at_the_end({5, 6}, {{NodeId(1), NodeId(2)}}, {1s, 0}) == "time-outs agree");
}

TEST_CASE("time-outs agree: patience grows by suspicion and shrinks after eight clean epochs") {
  Seen seen;
  EpochsAgree<Simple> epochs(seen_config());
  const auto found = [&](std::uint64_t epoch, std::chrono::seconds timeout) {
    Seen now;
    EpochsAgree<Simple> copy = epochs;  // each looks for the first time
    copy.looked(NodeId(0), FakeReplica{{Epoch(epoch), SeqNr(8 * epoch), 1, timeout}},
                now.findings);
    return now.first();
  };
  CHECK(found(0, 1s) == "");
  CHECK(found(0, 2s) == "time-outs agree");
  decide(epochs, seen.findings, 0, 0, 4, {1, 6});
  CHECK(found(0, 1s) == "");
  CHECK(found(1, 2s) == "");
  CHECK(found(1, 1s) == "time-outs agree");
  for (std::uint64_t epoch = 1; epoch < 9; ++epoch)
    decide(epochs, seen.findings, epoch, 8 * epoch, 4);
  CHECK(found(8, 2s) == "");
  CHECK(found(9, 1s) == "");
  CHECK(found(9, 2s) == "time-outs agree");
}

TEST_CASE("configuration agrees: members, parameters and the number of key changes") {
  const auto found = [](auto&& change) {
    Seen seen;
    ConfigurationAgrees configuration;
    CheckpointHeader first = header_of(3);
    first.key_changes = 2;
    configuration.event(NodeId(0), appended(checkpoint_of(first)), seen.findings);
    CheckpointHeader second = header_of(4);
    second.key_changes = 2;
    change(second);
    configuration.event(NodeId(1), appended(checkpoint_of(second)), seen.findings);
    return seen.first();
  };
  CHECK(found([](CheckpointHeader&) {}) == "");
  CHECK(found([](CheckpointHeader& one) { one.membership = digest_of(1); }) ==
        "configuration agrees");
  CHECK(found([](CheckpointHeader& one) { one.parameters = digest_of(1); }) ==
        "configuration agrees");
  CHECK(found([](CheckpointHeader& one) { one.key_changes = 3; }) == "configuration agrees");
  CHECK(found([](CheckpointHeader& one) { one.node_keys = {{NodeId(1), Bytes("key")}}; }) ==
        "configuration agrees");
  CHECK(found([](CheckpointHeader& one) {
          one.node_keys = {{NodeId(1), Bytes("key")}};
          one.key_changes = 3;
        }) == "");
}

TEST_CASE("windows agree: in an epoch all nodes take the same requests, and none again") {
  const auto found = [](std::uint64_t epoch, std::vector<ClientWindow> windows) {
    Seen seen;
    ConfigurationAgrees configuration;
    configuration.event(
        NodeId(0),
        WindowsMoved{Epoch(1), {{ClientId(1), ReqNo(5), {}}, {ClientId(3), ReqNo(2), {}}}},
        seen.findings);
    REQUIRE(seen.text() == "");
    configuration.event(NodeId(1), WindowsMoved{Epoch(epoch), std::move(windows)},
                        seen.findings);
    return seen.first();
  };
  const ClientWindow one{ClientId(1), ReqNo(5), {}};
  const ClientWindow two{ClientId(2), ReqNo(1), {}};
  const ClientWindow three{ClientId(3), ReqNo(2), {}};
  CHECK(found(1, {one, three}) == "");
  CHECK(found(1, {one, two, three}) == "windows agree");
  CHECK(found(1, {one, {ClientId(3), ReqNo(2), Bytes("\1")}}) == "windows agree");
  CHECK(found(2, {one, two, three}) == "");
  CHECK(found(2, {{ClientId(1), ReqNo(6), {}}, three}) == "");
  CHECK(found(2, {{ClientId(1), ReqNo(4), {}}, three}) == "windows agree");
  CHECK(found(2, {one}) == "windows agree");
}

}  // namespace mirbft::sim::epoch_invariants_test
