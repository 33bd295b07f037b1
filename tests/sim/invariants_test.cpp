// Each invariant catches what it is there for, and lets pass what is right.
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>

namespace mirbft::sim::invariants_test {
namespace {

struct Seen {
  Clock clock;
  Findings findings{7, clock};

  /// The rules that were broken since the last call, with blanks between.
  std::string rules() {
    std::string text;
    for (std::size_t i = read_; i < findings.all().size(); ++i)
      (text += text.empty() ? "" : " ") += findings.all()[i].rule;
    read_ = findings.all().size();
    return text;
  }

 private:
  std::size_t read_ = 0;
};

RequestRef reference(std::uint64_t number) { return {ClientId(1), ReqNo(number), {}}; }
Request request(std::uint64_t number, const char* body = "body") {
  return {ClientId(1), ReqNo(number), Bytes(body), {}};
}
Deliver deliver(std::uint64_t sn, std::vector<std::uint64_t> numbers) {
  std::vector<RequestRef> batch;
  for (const std::uint64_t number : numbers) batch.push_back(reference(number));
  return {SeqNr(sn), Batch(std::move(batch))};
}
Apply apply(std::uint64_t sn, std::vector<std::uint64_t> numbers) {
  Apply all{SeqNr(sn), {}};
  for (const std::uint64_t number : numbers) all.requests.push_back(request(number));
  return all;
}

}  // namespace

TEST_CASE("a finding names seed, node, sequence number and time") {
  Seen seen;
  seen.clock.advance_to(std::chrono::milliseconds(1500));
  seen.findings.report("agreement", NodeId(2), SeqNr(9), "what was seen");
  REQUIRE(seen.findings.all().size() == 1);
  CHECK(seen.findings.all()[0].text ==
        "seed 7, node 2, sn 9, at 1500 ms: agreement: what was seen");
  for (int i = 0; i < 100; ++i) seen.findings.report("more", NodeId(0), std::nullopt, "");
  CHECK(seen.findings.count() == 101);
  CHECK(seen.findings.all().size() == Findings::kept);
}

TEST_CASE("agreement: two nodes deliver different batches for one number") {
  Seen seen;
  TotalOrder order;
  order.event(NodeId(0), deliver(0, {1, 2}), seen.findings);
  order.event(NodeId(1), deliver(0, {1, 2}), seen.findings);
  CHECK(seen.rules() == "");
  order.event(NodeId(2), deliver(0, {2, 1}), seen.findings);
  CHECK(seen.rules() == "agreement");
  order.event(NodeId(3), deliver(0, {}), seen.findings);
  CHECK(seen.rules() == "agreement");
}

TEST_CASE("total order: what lies far back is forgotten, and not judged any more") {
  Seen seen;
  TotalOrder order;
  for (std::uint64_t sn = 0; sn < TotalOrder::kept + 2; ++sn)
    order.event(NodeId(0), deliver(sn, {sn}), seen.findings);
  CHECK(order.length() == TotalOrder::kept + 2);
  CHECK(order.requests() == TotalOrder::kept + 2);
  CHECK(!order.has(ClientId(1), ReqNo(1)));
  CHECK(order.has(ClientId(1), ReqNo(2)));
  order.event(NodeId(1), deliver(1, {7}), seen.findings);
  CHECK(seen.rules() == "");
  order.event(NodeId(1), deliver(2, {7}), seen.findings);
  CHECK(seen.rules() == "agreement");
}

TEST_CASE("no duplication: one request at two numbers, or twice at one") {
  Seen seen;
  TotalOrder order;
  order.event(NodeId(0), deliver(0, {1}), seen.findings);
  order.event(NodeId(0), deliver(1, {1}), seen.findings);
  CHECK(seen.rules() == "no duplication");
  order.event(NodeId(0), deliver(2, {3, 3}), seen.findings);
  CHECK(seen.rules() == "no duplication");
  CHECK(order.length() == 3);
  CHECK(order.has(ClientId(1), ReqNo(3)));
  CHECK(!order.has(ClientId(1), ReqNo(4)));
}

TEST_CASE("total order: gaps, repetitions, other requests, and steps back") {
  Seen seen;
  TotalOrder order;
  const NodeId node(0);
  order.started(node);
  for (std::uint64_t sn = 0; sn < 9; ++sn) order.event(node, deliver(sn, {sn}), seen.findings);
  order.event(node, apply(0, {0}), seen.findings);
  order.event(node, apply(1, {1}), seen.findings);
  CHECK(seen.rules() == "");
  SUBCASE("a gap") {
    order.event(node, apply(3, {3}), seen.findings);
    CHECK(seen.rules() == "total order");
  }
  SUBCASE("a repetition") {
    order.event(node, apply(1, {1}), seen.findings);
    CHECK(seen.rules() == "total order");
  }
  SUBCASE("other requests") {
    order.event(node, apply(2, {3}), seen.findings);
    CHECK(seen.rules() == "total order");
  }
  SUBCASE("what nobody delivered") {
    order.started(node);
    order.event(node, AppRestoreState{SeqNr(8), {}}, seen.findings);
    order.event(node, apply(9, {}), seen.findings);
    CHECK(seen.rules() == "total order");
  }
  SUBCASE("a restored state that is older than the App's") {
    order.event(node, AppRestoreState{SeqNr(0), {}}, seen.findings);
    CHECK(seen.rules() == "total order");
  }
  SUBCASE("a restart from nothing, and from a state, is right") {
    order.started(node);
    order.event(node, apply(0, {0}), seen.findings);
    order.started(node);
    order.event(node, AppRestoreState{SeqNr(4), {}}, seen.findings);
    order.event(node, apply(5, {5}), seen.findings);
    CHECK(seen.rules() == "");
  }
  SUBCASE("a restart that goes on without a state") {
    order.started(node);
    order.event(node, apply(2, {2}), seen.findings);
    CHECK(seen.rules() == "total order");
  }
}

TEST_CASE("integrity: a body that its client never made") {
  Seen seen;
  Integrity integrity;
  integrity.submitted(request(1, "one"), Time{});
  integrity.submitted(request(1, "another"), Time{});
  for (const char* body : {"one", "another"})
    integrity.event(NodeId(0), Apply{SeqNr(0), {request(1, body)}}, seen.findings);
  CHECK(seen.rules() == "");
  integrity.event(NodeId(0), Apply{SeqNr(0), {request(1, "onE")}}, seen.findings);
  CHECK(seen.rules() == "integrity");
  integrity.event(NodeId(0), Apply{SeqNr(0), {request(2, "one")}}, seen.findings);
  CHECK(seen.rules() == "integrity");
}

}  // namespace mirbft::sim::invariants_test
