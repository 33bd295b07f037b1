#include <mirbft/protocol/iss/key_changes.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/iss_env.hpp"

namespace mirbft::iss::key_changes_test {
namespace {

using testing::IssEnv;

/// A certificate of the `nth` epoch that changes keys.
StableCheckpoint link(std::uint64_t epoch, std::uint64_t nth) {
  StableCheckpoint made;
  made.header.epoch = Epoch(epoch);
  made.header.key_changes = nth;
  made.header.node_keys = {{NodeId(1), Bytes("key " + std::to_string(nth))}};
  return made;
}
/// One that changes none, after so many that do.
CheckpointHeader plain(std::uint64_t key_changes) {
  CheckpointHeader made;
  made.epoch = Epoch(100);
  made.key_changes = key_changes;
  return made;
}
ClientKey key(std::uint64_t client, const char* text) { return {ClientId(client), Bytes(text)}; }
ClientKeys keys_of(const std::vector<std::pair<std::uint64_t, ClientKey>>& asked) {
  ClientKeys made;
  for (const auto& [epoch, one] : asked) made.asked(Epoch(epoch), {one});
  return made;
}

}  // namespace

TEST_CASE("the last change of a node's or client's key counts") {
  const IssEnv env(testing::iss_config(4));
  const KeyChanges changes = key_changes({NodeKey{NodeId(3), Bytes("a")}, key(7, "b"),
                                          NodeKey{NodeId(1), Bytes("c")}, key(7, "d"),
                                          NodeKey{NodeId(3), Bytes("e")}},
                                         env.cluster());
  CHECK(changes.refused == 0);
  CHECK(changes.nodes ==
        std::vector<NodeKey>{{NodeId(1), Bytes("c")}, {NodeId(3), Bytes("e")}});
  CHECK(changes.clients == std::vector{key(7, "d")});
}

TEST_CASE("what would change the membership, or is no key, is not carried out") {
  const IssEnv env(testing::iss_config(4));
  const Bytes longest(std::string(max_public_key_bytes, 'k'));
  const Bytes too_long(std::string(max_public_key_bytes + 1, 'k'));
  const KeyChanges changes = key_changes(
      {NodeKey{NodeId(4), Bytes("key")}, NodeKey{NodeId(0), std::nullopt},
       NodeKey{NodeId(0), Bytes()}, NodeKey{NodeId(0), too_long}, key(1, ""),
       ClientKey{ClientId(2), too_long}, ClientKey{ClientId(3), std::nullopt},
       NodeKey{NodeId(2), longest}},
      env.cluster());
  CHECK(changes.refused == 6);
  CHECK(changes.nodes == std::vector<NodeKey>{{NodeId(2), longest}});
  CHECK(changes.clients == std::vector<ClientKey>{{ClientId(3), std::nullopt}});
}

TEST_CASE("a chain takes its links in their order, and tells Crypto of each") {
  IssEnv env(testing::iss_config(4));
  KeyChain chain;
  CHECK_FALSE(chain.extend(link(9, 2), env));
  CHECK_FALSE(chain.extend({plain(1), {}}, env));
  CHECK(env.out.empty());
  CHECK(chain.extend(link(4, 1), env));
  const auto written = env.out.take<WalAppend<KeyEntry>>();
  CHECK(written.entry.proof == link(4, 1));
  CHECK(written.retention == RetentionIndex(~std::uint64_t{0}));
  const auto update = env.out.take<UpdateNodeKeys>();
  CHECK(update.from == Epoch(6));
  CHECK(update.keys == link(4, 1).header.node_keys);
  CHECK_FALSE(chain.extend(link(4, 1), env));
  CHECK(chain.extend(link(9, 2), env));
  CHECK(chain.length() == 2);
  REQUIRE(chain.after(0));
  CHECK(*chain.after(0) == link(4, 1));
  REQUIRE(chain.after(1));
  CHECK(*chain.after(1) == link(9, 2));
  CHECK_FALSE(chain.after(2));
  CHECK_FALSE(chain.after(~std::uint64_t{0}));
}

TEST_CASE("a chain covers what is signed by keys that it knows") {
  IssEnv env(testing::iss_config(4));
  KeyChain chain;
  CHECK(chain.covers(plain(0)));
  CHECK_FALSE(chain.covers(plain(1)));
  CHECK(chain.covers(link(4, 1).header));  // signed by the keys before
  CHECK_FALSE(chain.covers(link(9, 2).header));
  REQUIRE(chain.extend(link(4, 1), env));
  CHECK(chain.covers(plain(0)));
  CHECK(chain.covers(plain(1)));
  CHECK(chain.covers(link(9, 2).header));
  CHECK_FALSE(chain.covers(plain(2)));
}

TEST_CASE("a chain is as long after a restart as before, and Crypto hears of it again") {
  IssEnv env(testing::iss_config(4));
  KeyChain chain;
  chain.recover({link(4, 1)});
  chain.recover({link(4, 1)});
  chain.recover({link(9, 2)});
  CHECK(chain.length() == 2);
  chain.announce(env);
  CHECK(env.out.take<UpdateNodeKeys>().from == Epoch(6));
  CHECK(env.out.take<UpdateNodeKeys>().from == Epoch(11));
  CHECK(env.out.empty());
}

TEST_CASE("a client's key comes into force two epochs after it was asked for") {
  const ClientKeys keys = keys_of({{3, key(7, "a")}, {4, key(8, "b")}});
  CHECK(keys.due(Epoch(0), Epoch(4)).empty());
  CHECK(keys.due(Epoch(4), Epoch(5)) == std::vector{key(7, "a")});
  CHECK(keys.due(Epoch(5), Epoch(6)) == std::vector{key(8, "b")});
  CHECK(keys.due(Epoch(0), Epoch(9)) == std::vector{key(7, "a"), key(8, "b")});
  CHECK(keys.since(ClientId(7), Epoch(4)) == Epoch(0));
  CHECK(keys.since(ClientId(7), Epoch(5)) == Epoch(5));
  CHECK(keys.since(ClientId(7), Epoch(99)) == Epoch(5));
  CHECK(keys.since(ClientId(8), Epoch(5)) == Epoch(0));
  CHECK(keys.since(ClientId(6), Epoch(99)) == Epoch(0));
}

TEST_CASE("of several changes of one client's key the last one that is in force counts") {
  const ClientKeys keys = keys_of({{3, key(7, "a")}, {4, key(7, "b")}, {5, {ClientId(7), {}}}});
  CHECK(keys.due(Epoch(0), Epoch(5)) == std::vector{key(7, "a")});
  CHECK(keys.due(Epoch(0), Epoch(6)) == std::vector{key(7, "b")});
  CHECK(keys.due(Epoch(5), Epoch(7)) == std::vector<ClientKey>{{ClientId(7), std::nullopt}});
  CHECK(keys.since(ClientId(7), Epoch(6)) == Epoch(6));
}

TEST_CASE("what nobody goes back to is forgotten, but never the last key") {
  ClientKeys keys = keys_of({{3, key(7, "a")}, {4, key(7, "b")}, {4, key(8, "c")}});
  CHECK(keys.changes().size() == 3);
  keys.asked(Epoch(5), {});
  CHECK(keys.changes().size() == 3);
  keys.asked(Epoch(6), {});  // in which "b" holds
  CHECK(keys.changes() ==
        std::vector<ClientKeyChange>{{ClientId(7), Epoch(6), Bytes("b")},
                                     {ClientId(8), Epoch(6), Bytes("c")}});
  CHECK(ClientKeys(keys.changes()).due(Epoch(0), Epoch(7)) ==
        std::vector{key(7, "b"), key(8, "c")});
}

}  // namespace mirbft::iss::key_changes_test
