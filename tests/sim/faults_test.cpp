// Crashes, pauses and chaos, on a replica that recovers from its log; and protocols that are
// broken, which must be caught.
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include <mirbft/sim/faults.hpp>
#include <mirbft/sim/trial.hpp>

#include "solo_cluster.hpp"

namespace mirbft::faults_test {
namespace {

using namespace std::chrono_literals;
using sim::Fault;
using sim::FaultKinds;
using testing::Hooks;

using Replica = testing::SimulatedSolo<Solo>;
using Cluster = sim::Cluster<Replica>;
constexpr NodeId node(0);

sim::ClientConfig client(std::uint64_t requests) {
  return {.id = ClientId(1), .requests = requests, .open = 3, .retry_after = 500ms};
}

sim::TrialResult try_solo(std::uint64_t seed, FaultKinds faults) {
  return sim::Trial<Replica>(seed, {.nodes = 1, .faults = faults}, testing::solo_modules<Solo>())
      .run();
}

/// The first rule that a protocol breaks within some seeds; empty if none.
template <class Protocol>
std::string broken_rule(std::size_t nodes, FaultKinds faults) {
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    const auto result = sim::Trial<testing::SimulatedSolo<Protocol>>(
                            seed, {.nodes = nodes, .faults = faults},
                            testing::solo_modules<Protocol>())
                            .run();
    if (!result.findings.empty()) return result.findings[0].rule;
  }
  return "";
}

/// Delivers first, and writes behind it.
struct WritesBehind : Solo {
  using consumes = Solo::consumes;
  using emits = Solo::emits;

  using Solo::process;
  void process(RequestReady ready, auto& out) {
    out.emit(Deliver{next, Batch({ready.reference})});
    out.emit(WalAppend<SoloDecided>{{next, Batch({ready.reference})}, RetentionIndex(0)});
    ++next;
  }
  void process(WalEntry<SoloDecided> decided, auto& out) {
    next = decided.entry.sn + 1;
    Solo::process(std::move(decided), out);
  }

  SeqNr next;
};

/// Loses every seventh request.
struct Forgets : Solo {
  using consumes = Solo::consumes;
  using emits = Solo::emits;

  using Solo::process;
  void process(RequestReady ready, auto& out) {
    if (ready.reference.req_no.value % 7 != 6) Solo::process(std::move(ready), out);
  }
};

/// Delivers every seventh request twice.
struct Repeats : Solo {
  using consumes = Solo::consumes;
  using emits = Solo::emits;

  using Solo::process;
  void process(RequestReady ready, auto& out) {
    if (ready.reference.req_no.value % 7 == 6) Solo::process(ready, out);
    Solo::process(std::move(ready), out);
  }
};

/// Talks to itself for ever.
struct Raves : Solo {
  using consumes = Solo::consumes;
  using emits = joined<Solo::emits, events<MessageReceived<Message>>>;

  using Solo::process;
  void process(RequestReady ready, auto& out) {
    Solo::process(std::move(ready), out);
    out.emit(MessageReceived<Message>{});
  }
  void process(MessageReceived<Message> message, auto& out) { out.emit(std::move(message)); }
};

}  // namespace

TEST_CASE("a node that crashes and restarts goes on where its disk says") {
  Cluster cluster({.nodes = 1}, testing::solo_modules<Solo>());
  cluster.add_client(client(200));
  REQUIRE(cluster.run_for(200ms));
  const std::uint64_t before = cluster.client(0).completed();
  CHECK(before > 0);
  CHECK(before < 200);
  cluster.crash(node);
  CHECK(!cluster.is_up(node));
  REQUIRE(cluster.run_for(1s));
  CHECK(cluster.client(0).completed() == before);
  cluster.restart(node);
  CHECK(cluster.run_until([&] { return cluster.clients_done(); }, 30s));
  CHECK(cluster[node].app().value() == 200);
  CHECK(cluster.client(0).retries() > 0);
  CHECK(cluster.figures().faults[Fault::crash] == 1);
  const Hooks& hooks = cluster.checks().get<Hooks>();
  CHECK(hooks.starts == 2);
  CHECK(hooks.crashes == 1);
  CHECK(hooks.requests == 200);
  CHECK(hooks.records == 200);
  CHECK(hooks.next == SeqNr(200));
}

TEST_CASE("a crash at any operation of the disk loses nothing that was answered") {
  for (std::uint64_t point = 0; point < 120; ++point) {
    CAPTURE(point);
    Cluster cluster({.seed = point, .nodes = 1}, testing::solo_modules<Solo>());
    cluster.add_client(client(20));
    cluster.disk(node).fail_after(point);
    const bool done = cluster.run_until([&] { return !cluster.is_up(node); }, 3s);
    if (!done) CHECK(cluster.clients_done());  // there were fewer operations
    cluster.restart(node);
    CHECK(cluster.run_until([&] { return cluster.clients_done(); }, 30s));
    CHECK(cluster.findings().none());
    CHECK(cluster[node].app().value() == 20);
  }
}

TEST_CASE("a paused node, and one whose module is held, go on afterwards") {
  Cluster cluster({.nodes = 1}, testing::solo_modules<Solo>());
  const auto completed = [&] { return cluster.client(0).completed(); };
  cluster.add_client(client(100));
  cluster.pause(node, 1s);
  REQUIRE(cluster.run_until(999ms));
  CHECK(completed() == 0);
  REQUIRE(cluster.run_until(1200ms));
  const std::uint64_t before = completed();
  CHECK(before > 0);
  cluster.hold(node, slot::wal, 2s);
  REQUIRE(cluster.run_until(1999ms));
  CHECK(completed() <= before + 3);
  CHECK(cluster.run_until([&] { return cluster.clients_done(); }, 30s));
  CHECK(cluster.figures().faults[Fault::pause] == 1);
  CHECK(cluster.figures().faults[Fault::slow_module] == 1);
}

TEST_CASE("under chaos a protocol that recovers loses nothing") {
  const FaultKinds faults{Fault::crash, Fault::crash_in_list, Fault::lost_tail,
                          Fault::pause, Fault::clock_skew,    Fault::clock_jump,
                          Fault::slow_module, Fault::slot_order};
  sim::Campaign campaign;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const sim::TrialResult result = try_solo(seed, faults);
    campaign.add(result);
    for (const sim::Finding& finding : result.findings) FAIL_CHECK(finding.text);
  }
  CHECK(campaign.seeds == 200);
  CHECK(campaign.failed == 0);
  CHECK(to_string(campaign.figures.faults.missing(faults)) == "none");
  CHECK(campaign.figures.requests > 2000);
}

TEST_CASE("one seed is one course of events, crashes included") {
  for (std::uint64_t seed = 1; seed < 20; ++seed)
    CHECK(try_solo(seed, FaultKinds::all()).fingerprint ==
          try_solo(seed, FaultKinds::all()).fingerprint);
}

TEST_CASE("protocols that are broken are caught") {
  CHECK(broken_rule<Solo>(1, FaultKinds::all()) == "");
  // Two replicas that do not know of each other.
  CHECK(broken_rule<Solo>(2, {Fault::slot_order}) != "");
  CHECK(broken_rule<WritesBehind>(1, {}) == "");
  CHECK(broken_rule<WritesBehind>(1, {Fault::crash, Fault::lost_tail, Fault::slot_order}) ==
        "agreement");
  CHECK(broken_rule<Forgets>(1, {}) == "liveness");
  CHECK(broken_rule<Repeats>(1, {}) == "no duplication");
  CHECK(broken_rule<Raves>(1, {}) == "rest");
}

}  // namespace mirbft::faults_test
