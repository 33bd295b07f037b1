// The key-value store: its commands, their replies, and that equal states have equal snapshots.
#include <doctest/doctest.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/app/key_value_store.hpp>

namespace mirbft::key_value_store_test {

static_assert(IsApp<KeyValueStore>);

namespace {

/// Applies commands as one batch.
std::vector<std::string> apply(KeyValueStore& store, const std::vector<std::string>& commands) {
  std::vector<Request> requests;
  for (const std::string& command : commands)
    requests.push_back({ClientId(1), ReqNo(requests.size()), Bytes(command), {}});
  std::vector<std::string> replies;
  for (const Bytes& reply : store.apply(SeqNr(0), requests)) replies.emplace_back(reply.text());
  return replies;
}

}  // namespace

TEST_CASE("key-value store: each command and its reply") {
  KeyValueStore store;
  CHECK(apply(store, {"GET a", "SET a 1", "GET a", "INCR a", "GET a", "DEL a", "DEL a", "GET a"}) ==
        std::vector<std::string>{"_", "+OK", "$1", ":2", "$2", ":1", ":0", "_"});
  CHECK(apply(store, {"SET a  two words ", "GET a", "SET a ", "GET a"}) ==
        std::vector<std::string>{"+OK", "$ two words ", "+OK", "$"});
  CHECK(store.size() == 1);
  CHECK(store.find("a") == "");
  CHECK_FALSE(store.find("b"));
}

TEST_CASE("key-value store: INCR counts from 0, and refuses what is no number") {
  KeyValueStore store;
  const std::string refusal = "-the value is not a number that can grow by one";
  CHECK(apply(store, {"INCR n", "INCR n", "SET n -2", "INCR n", "SET n 9223372036854775806",
                      "INCR n", "INCR n", "GET n"}) ==
        std::vector<std::string>{":1", ":2", "+OK", ":-1", "+OK", ":9223372036854775807", refusal,
                                 "$9223372036854775807"});
  for (const char* value : {"one", "", "1x", " 1", "9223372036854775808"}) {
    CAPTURE(value);
    CHECK(apply(store, {std::string("SET v ") + value, "INCR v", "GET v"}) ==
          std::vector<std::string>{"+OK", refusal, std::string("$") + value});
  }
}

TEST_CASE("key-value store: anything else is refused, and changes nothing") {
  KeyValueStore store;
  for (const char* command : {"", " ", "GET", "GET ", "GET  a", "GET a ", "GET a b", "SET a",
                              "SET  1", "DEL", "INCR a 2", "get a", "FLUSHALL", "SETa b"}) {
    CAPTURE(command);
    CHECK_FALSE(KeyValueCommand::parse(command));
    CHECK(apply(store, {command}) ==
          std::vector<std::string>{
              "-the command must be SET key value, GET key, DEL key or INCR key"});
  }
  CHECK(store.size() == 0);
}

TEST_CASE("key-value store: a snapshot depends on the state alone, and restores it") {
  KeyValueStore store;
  apply(store, {"SET b 2", "SET a 1", "SET c 3", "DEL c"});
  KeyValueStore other;
  apply(other, {"SET a 0", "INCR a", "SET b 2"});
  CHECK(store.snapshot() == other.snapshot());

  apply(other, {"SET d with \xff bytes"});
  CHECK(store.snapshot() != other.snapshot());
  store.restore(other.snapshot().view());
  CHECK(store.snapshot() == other.snapshot());
  CHECK(store.find("d") == "with \xff bytes");

  store.restore(KeyValueStore().snapshot().view());
  CHECK(store.size() == 0);
  CHECK_THROWS_WITH_AS(store.restore(bytes_of("\x0a\xff")),
                       "key-value store: the snapshot cannot be read", ModuleFailure);
}

TEST_CASE("key-value store: a snapshot with keys out of order or twice is none") {
  const auto entry = [](const char* key) { return KeyValueEntry{Bytes(key), Bytes("1")}; };
  KeyValueStore store;
  for (const auto& entries : {std::vector{entry("b"), entry("a")}, {entry("a"), entry("a")}})
    CHECK_THROWS_AS(store.restore(wire::encode(KeyValueSnapshot{entries}).view()), ModuleFailure);
  store.restore(wire::encode(KeyValueSnapshot{{entry("a"), entry("b")}}).view());
  CHECK(store.size() == 2);
}

}  // namespace mirbft::key_value_store_test
