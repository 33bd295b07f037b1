#include <mirbft/modules/app/reconfigurable.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/app/key_value_store.hpp>

namespace mirbft::reconfigurable_test {
namespace {

static_assert(IsSimpleApp<Reconfigurable<Counter>> && !IsChunkedApp<Reconfigurable<Counter>>);
static_assert(IsChunkedApp<Reconfigurable<KeyValueStore>>);

constexpr ClientId administrator(9);

Reconfigurable<Counter> make() {
  return Reconfigurable<Counter>({.administrators = {administrator},
                                  .members = {NodeId(0), NodeId(1)},
                                  .is_key = [](ByteView key) { return key.size() == 3; }});
}
Bytes body_of(const Reconfiguration& change) {
  return wire::encode(ReconfigurationRequest{change});
}
/// The administrator's request for this, and the reply.
std::string ask(Reconfigurable<Counter>& app, Bytes body) {
  const std::vector<Request> requests{{administrator, ReqNo(0), std::move(body), {}}};
  return std::string(app.apply(SeqNr(0), requests).at(0).text());
}

}  // namespace

TEST_CASE("requests of others go to the App inside, in their order, and each gets its reply") {
  Reconfigurable<Counter> app = make();
  const std::vector<Request> requests{
      {ClientId(1), ReqNo(0), Bytes("add 5"), {}},
      {administrator, ReqNo(0), body_of(NodeKey{NodeId(1), Bytes("key")}), {}},
      {ClientId(2), ReqNo(0), body_of(NodeKey{NodeId(0), Bytes("key")}), {}}};
  CHECK(app.apply(SeqNr(0), requests) ==
        std::vector{Bytes("5"), Bytes(Reconfigurable<Counter>::accepted), Bytes("6")});
  CHECK(app.snapshot() == Bytes("6"));
  const auto asked = app.reconfigurations();
  REQUIRE(asked.size() == 1);
  CHECK((asked[0] == Reconfiguration(NodeKey{NodeId(1), Bytes("key")})));
  CHECK(app.reconfigurations().empty());
}

TEST_CASE("keys are replaced, those of clients added and removed too") {
  Reconfigurable<Counter> app = make();
  const std::vector<Reconfiguration> changes{NodeKey{NodeId(0), Bytes("new")},
                                             ClientKey{ClientId(5), Bytes("key")},
                                             ClientKey{ClientId(6), std::nullopt}};
  for (const Reconfiguration& change : changes)
    CHECK(ask(app, body_of(change)) == Reconfigurable<Counter>::accepted);
  CHECK((app.reconfigurations() == changes));
}

TEST_CASE("what is not supported, or no key, is refused and changes nothing") {
  Reconfigurable<Counter> app = make();
  const auto refused = [&](Bytes body, const char* why) {
    CHECK(ask(app, std::move(body)) == std::string("refused: ") + why);
  };
  refused(Bytes("add 5"), "the body is no ReconfigurationRequest");
  refused({}, "the body is no ReconfigurationRequest");
  refused(body_of(NodeKey{NodeId(2), Bytes("key")}),
          "the node is no member, and members cannot be added yet");
  refused(body_of(NodeKey{NodeId(1), std::nullopt}),
          "a member needs a key, and members cannot be removed yet");
  refused(body_of(NodeKey{NodeId(1), Bytes("long")}), "that is no public key");
  refused(body_of(ClientKey{ClientId(1), Bytes("long")}), "that is no public key");
  CHECK(app.reconfigurations().empty());
  CHECK(app.snapshot() == Bytes("0"));
}

TEST_CASE("a restored App has asked for nothing yet") {
  Reconfigurable<Counter> app = make();
  (void)ask(app, body_of(NodeKey{NodeId(0), Bytes("new")}));
  app.restore(bytes_of("41"));
  CHECK(app.reconfigurations().empty());
  CHECK(app.inner().value() == 41);
}

TEST_CASE("a chunked App stays one") {
  const auto store = [] {
    return Reconfigurable<KeyValueStore>({.administrators = {administrator},
                                          .members = {NodeId(0)}});
  };
  Reconfigurable<KeyValueStore> app = store();
  const std::vector<Request> requests{
      {ClientId(1), ReqNo(0), Bytes("SET key value"), {}},
      {administrator, ReqNo(0), body_of(NodeKey{NodeId(0), Bytes("new")}), {}}};
  (void)app.apply(SeqNr(0), requests);
  const FrozenChunks frozen = app.freeze();
  std::vector<Bytes> chunks(frozen.count);
  for (const std::uint64_t index : frozen.changed) chunks.at(index) = app.frozen(index);
  CHECK(app.reconfigurations().size() == 1);

  Reconfigurable<KeyValueStore> other = store();
  (void)other.apply(SeqNr(0), requests);
  other.restore(std::span<const Bytes>(chunks));
  CHECK(other.reconfigurations().empty());
  CHECK(other.snapshot() == app.snapshot());
}

}  // namespace mirbft::reconfigurable_test
