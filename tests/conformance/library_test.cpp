// The library's own events, messages and log entries: as published in proto/, and as protobuf
// reads and writes them.

#include <doctest/doctest.h>

#include <mirbft/engine/wiring.hpp>
#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/null.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/paxos.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/protocol/solo.hpp>

#include "conformance.hpp"
#include "mirbft/mirbft.pb.h"

namespace mirbft::library_test {

namespace {

/// No hash is computed here.
struct NoHasher {
  void update(ByteView) {}
  Digest finish() { return {}; }
};

using StockPlan = engine::Plan<LoopbackNet, NoHasher, NullCrypto, Counter, NullWal, ClientTracker,
                               MemoryStore, Iss<Pbft>>;
/// Every event that a Node of the modules that ship can see, and what Solo and Paxos add to them.
using Published = engine::Union<StockPlan::Events, events<WalAppend<SoloDecided>>,
                                Paxos::consumes, Paxos::emits>;

template <class... Es>
wire::Schema schema_of(events<Es...>) {
  return wire::schema<Iss<Pbft>::Message, PaxosMessage, Es...>("mirbft/mirbft.proto");
}
const wire::Schema& schema() {
  static const wire::Schema made = schema_of(Published{});
  return made;
}

template <class... Es>
void check_all(events<Es...>, const test::Prototypes& prototypes) {
  test::check_conformance<Iss<Pbft>::Message, PaxosMessage, Es...>(schema(), prototypes, 20);
}

TEST_CASE("conformance: proto/mirbft/mirbft.proto is what the C++ types print") {
  test::check_published(schema(), MIRBFT_SOURCE_DIR "/proto/mirbft/mirbft.proto");
}

TEST_CASE("conformance: protoc reads the published schema as we describe it") {
  REQUIRE(mirbft::v1::Tick::descriptor() != nullptr);  // has the classes linked
  test::check_descriptor(schema());
}

TEST_CASE("conformance: every event and message of the library, both ways") {
  check_all(Published{}, test::GeneratedPrototypes());
}

}  // namespace

}  // namespace mirbft::library_test
