#include <mirbft/engine/wiring_text.hpp>

#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "../support/small_node.hpp"

namespace mirbft::wiring_text_test {

using namespace mirbft::testing;

namespace {

/// Would handle what nobody emits, and what never comes to its slot.
struct WishfulTracker : PlainTracker {
  using consumes = engine::Union<PlainTracker::consumes, events<WindowsMoved, Deliver>>;
  using PlainTracker::process;
  void process(const WindowsMoved&, auto&) {}
  void process(const Deliver&, auto&) {}
};
/// A module type with an argument that is no type.
template <int Size>
struct SizedApp : EchoApp {};

struct Parts : SmallParts {
  using Tracker = WishfulTracker;
  using App = SizedApp<3>;
};

}  // namespace

TEST_CASE("the wiring is printed as text: each module, and where its events go") {
  CHECK(NodeOf<Parts>::wiring() ==
        "tracker: WishfulTracker\n"
        "  HashRequest_ToHash -> hasher\n"
        "  StoreVerifiedRequest -> store\n"
        "  RequestReady -> protocol\n"
        "  Replied -> node\n"
        "  (nobody emits WindowsMoved)\n"
        "  (Deliver never comes here)\n"
        "hasher: StubHasher\n"
        "  HashResult_ToHash -> tracker\n"
        "crypto: StubCrypto\n"
        "store: MemoryStore\n"
        "  Apply -> app\n"
        "protocol: Solo\n"
        "  WalAppend_SoloDecided -> wal\n"
        "  Deliver -> store\n"
        "wal: MemoryWal\n"
        "  WalEntry_SoloDecided -> protocol\n"
        "app: SizedApp\n"
        "  Applied -> tracker\n"
        "  AppContinue -> app\n"
        "net: StubNet\n"
        "  MessageReceived_OneOf_SoloNothing -> protocol\n"
        "node: TheNode\n"
        "  NewRequest -> tracker\n"
        "  Halt -> node\n");
}

TEST_CASE("the wiring is drawn by Graphviz") {
  const std::string graph = NodeOf<Parts>::wiring(WiringFormat::graphviz);
  CHECK(graph.starts_with("digraph node {\n"));
  CHECK(graph.ends_with("}\n"));
  CHECK(graph.find("  tracker_ [shape=box, label=\"tracker: WishfulTracker\"];\n") !=
        std::string::npos);
  CHECK(graph.find("  app_ -> tracker_ [label=\"Applied\"];\n") != std::string::npos);
  CHECK(graph.find("  nobody -> tracker_ [style=dashed, label=\"WindowsMoved\"];\n") !=
        std::string::npos);
}

TEST_CASE("the wiring is drawn by Mermaid") {
  const std::string graph = NodeOf<Parts>::wiring(WiringFormat::mermaid);
  CHECK(graph.starts_with("flowchart LR\n"));
  CHECK(graph.find("  tracker_[\"tracker: WishfulTracker\"]\n") != std::string::npos);
  CHECK(graph.find("  app_ -->|Applied| tracker_\n") != std::string::npos);
  CHECK(graph.find("  nobody -.->|WindowsMoved| tracker_\n") != std::string::npos);
}

}  // namespace mirbft::wiring_text_test
