// Records and bodies that go too early are noticed.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/disk_invariants.hpp>

#include "seen.hpp"

namespace mirbft::sim::disk_invariants_test {
namespace {

using namespace testing;

constexpr NodeId node(0);

/// A node with records of the epochs 1, 1 and 2.
struct Logged {
  Seen seen;
  LogKept checks;

  Logged() {
    for (const std::uint64_t epoch : {1u, 1u, 2u})
      checks.durable(node, Record{1, {}, RetentionIndex(epoch)}, seen.findings);
  }
  std::string finds(std::uint64_t records) {
    checks.started(node);
    checks.started(NodeId(1));
    for (std::uint64_t i = 0; i < records; ++i)
      checks.event(node, WalEntry<EpochEntry>{}, seen.findings);
    checks.event(NodeId(1), Init{}, seen.findings);
    checks.event(node, Init{}, seen.findings);
    checks.event(node, Init{}, seen.findings);
    return seen.first();
  }
};

}  // namespace

TEST_CASE("log kept: what was durable is found again") {
  CHECK(Logged().finds(3) == "");
  CHECK(Logged().finds(4) == "");
  CHECK(Logged().finds(2) == "log kept");
}

TEST_CASE("log kept: but for what was truncated, or lost with the disk") {
  Logged truncated;
  truncated.checks.event(node, WalTruncate{RetentionIndex(2)}, truncated.seen.findings);
  truncated.checks.durable(node, Record{1, {}, RetentionIndex(1)}, truncated.seen.findings);
  CHECK(truncated.finds(1) == "");
  CHECK(truncated.finds(0) == "log kept");
  Logged wiped;
  wiped.checks.wiped(node);
  CHECK(wiped.finds(0) == "");
}

namespace {

RequestRef request(std::uint64_t number) { return {ClientId(1), ReqNo(number), {}}; }
VoteEntry vote(std::uint64_t sn, std::uint64_t number) {
  return {{{Epoch(0), 1}, View(0), SeqNr(sn), digest_of(1)}, {}, Batch({request(number)})};
}

/// A node that has voted for request 5 at sn 5, and decided request 6 at sn 6 without a vote.
struct Stored {
  Seen seen;
  Disk disk{Random(1)};
  Store store{disk};
  BodiesKept checks;

  Stored() {
    checks.disk(node, disk);
    for (const std::uint64_t number : {4u, 5u, 6u}) store.put(request(number), Bytes("x"), {});
    store.sync();
    checks.durable(node, vote(4, 4), seen.findings);
    checks.durable(node, vote(5, 5), seen.findings);
    checks.durable(node, DecidedEntry{{Epoch(0), 2}, SeqNr(6), digest_of(1), Batch({request(6)})},
                   seen.findings);
    for (const std::uint64_t sn : {4u, 5u, 6u})
      store.delivered(SeqNr(sn), Batch({request(sn)}));
  }
  /// It says that it collects up to one sequence number, and does so up to another.
  std::string collects(std::uint64_t said, std::uint64_t done) {
    checks.event(node, CollectRequests{{SeqNr(said), {}}}, seen.findings);
    store.collect({SeqNr(done), {}});
    checks.looked(node, 0, seen.findings);
    return seen.text();
  }
};
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("bodies kept: what a live slot refers to stays") {
  CHECK(Stored().collects(4, 4) == "");
  CHECK(contains(Stored().collects(4, 5), "sn 5"));
  CHECK(contains(Stored().collects(5, 6), "sn 6"));
  CHECK(Stored().collects(6, 6) == "");
}

TEST_CASE("bodies kept: collected is collected, and a lost disk holds nothing") {
  Stored again;
  CHECK(again.collects(5, 5) == "");
  again.checks.durable(node, vote(5, 5), again.seen.findings);
  CHECK(again.collects(5, 5) == "");
  Stored wiped;
  wiped.disk.wipe();
  wiped.checks.wiped(node);
  CHECK(wiped.collects(4, 4) == "");
}

}  // namespace mirbft::sim::disk_invariants_test
