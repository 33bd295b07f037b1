// The database: each family of commands, its clock, its errors. What Redis itself says to any
// command is compared by differential.py; here is what it means.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <span>
#include <string>

#include <mirbft/concepts.hpp>

#include "database.hpp"

namespace redis::database_test {

static_assert(mirbft::IsChunkedApp<Database>);

TEST_CASE("database: strings") {
  Asked ask;
  CHECK(ask("GET a") == "$-1|");
  CHECK(ask("SET a 1") == "+OK|");
  CHECK(ask("get a") == "$1|1|");
  CHECK(ask("INCR a") == ":2|");
  CHECK(ask("INCRBY a 40") == ":42|");
  CHECK(ask("DECR a") == ":41|");
  CHECK(ask("APPEND a x") == ":3|");
  CHECK(ask("INCR a") == "-ERR value is not an integer or out of range|");
  CHECK(ask("STRLEN a") == ":3|");
  CHECK(ask("SET a new NX GET") == "$3|41x|");
  CHECK(ask("SET a new XX GET") == "$3|41x|");
  CHECK(ask("SET b 1 XX") == "$-1|");
  CHECK(ask("SET b 1 NX XX") == "-ERR syntax error|");
  CHECK(ask("SET b 1 EX 0") == "-ERR invalid expire time in 'set' command|");
  CHECK(ask("MSET b 1 c 2") == "+OK|");
  CHECK(ask("MSET b 1 c") == "-ERR wrong number of arguments for 'mset' command|");
  CHECK(ask("MGET a b x c") == "*4|$3|new|$1|1|$-1|$1|2|");
  CHECK(ask("SET n 9223372036854775807") == "+OK|");
  CHECK(ask("INCR n") == "-ERR increment or decrement would overflow|");
}

TEST_CASE("database: keys") {
  Asked ask;
  for (const char* line : {"SET s x", "LPUSH l x", "SADD e x", "HSET h f x", "ZADD z 1 x"})
    ask(line);
  CHECK(ask("DBSIZE") == ":5|");
  CHECK(ask("TYPE s") == "+string|");
  CHECK(ask("TYPE l") == "+list|");
  CHECK(ask("TYPE e") == "+set|");
  CHECK(ask("TYPE h") == "+hash|");
  CHECK(ask("TYPE z") == "+zset|");
  CHECK(ask("TYPE x") == "+none|");
  CHECK(ask("EXISTS s s x") == ":2|");
  CHECK(ask("DEL s x s") == ":1|");
  CHECK(ask("KEYS [hl]").starts_with("*2|"));
  CHECK(ask("FLUSHALL") == "+OK|");
  CHECK(ask("DBSIZE") == ":0|");
}

TEST_CASE("database: SCAN meets every key once, in parts of the size asked for") {
  Asked ask;
  for (int key = 0; key < 100; ++key) ask("SET k" + std::to_string(key) + " x");
  std::set<std::string> seen;
  std::string cursor = "0";
  int rounds = 0;
  do {
    const auto reply = ask.apply({ask.time, {step("SCAN " + cursor + " COUNT 7")}}).at(0);
    std::string text = shown(reply);
    text.erase(0, text.find('|', 3) + 1);  // *2|$length|
    cursor = text.substr(0, text.find('|'));
    for (std::size_t at = text.find("|k"); at != text.npos; at = text.find("|k", at + 1))
      CHECK(seen.insert(text.substr(at + 1, text.find('|', at + 1) - at - 1)).second);
    ++rounds;
  } while (cursor != "0");
  CHECK(seen.size() == 100);
  CHECK(rounds == 15);
}

TEST_CASE("database: names that somebody has chosen do not make SCAN longer than was asked for") {
  Asked ask;
  // All of them have one hash by FNV-1a: 0.
  const std::string zero("\xd5\x6b\xb9\x53\x42\x87\x08\x36");
  for (std::size_t count = 0; count < 100; ++count) {
    Step set{0, 2, {}};
    for (const std::string& word : {std::string("SET"), zero + std::string(count, '\0'),
                                    std::string("x")})
      set.arguments.emplace_back(std::string_view(word));
    ask.apply({ask.time, {set}});
  }
  CHECK(ask("DBSIZE") == ":100|");
  CHECK(ask("SCAN 0 COUNT 5").find("|*5|") != std::string::npos);
}

TEST_CASE("database: orders that are decided together move the clock by a day at most") {
  const auto order = [](std::uint64_t time) {
    return mirbft::Request{{}, {}, mirbft::wire::encode(Order{time, {}}), {}};
  };
  const std::uint64_t today = 1'700'000'000'000;
  const std::uint64_t day = 24 * 60 * 60 * 1000;
  Database database;
  const auto apply = [&](std::vector<mirbft::Request> requests) {
    database.apply(mirbft::SeqNr(1), requests);
    return static_cast<std::uint64_t>(database.now());
  };
  CHECK(apply({order(today)}) == today);
  CHECK(apply({order(today + day - 1)}) == today + day - 1);
  CHECK(apply({order(today)}) == today + day - 1);
  const std::uint64_t wrong = Database::latest_time;
  CHECK(apply({order(wrong), order(wrong + 1), order(~std::uint64_t{0})}) == today + 2 * day - 1);
  CHECK(apply({order(wrong)}) == today + 3 * day - 1);
}

TEST_CASE("database: lists") {
  Asked ask;
  CHECK(ask("RPUSH l a b c") == ":3|");
  CHECK(ask("LPUSH l y x") == ":5|");
  CHECK(ask("LRANGE l 0 -1") == "*5|$1|x|$1|y|$1|a|$1|b|$1|c|");
  CHECK(ask("LRANGE l -2 100") == "*2|$1|b|$1|c|");
  CHECK(ask("LRANGE l 3 1") == "*0|");
  CHECK(ask("LPOP l") == "$1|x|");
  CHECK(ask("RPOP l 2") == "*2|$1|c|$1|b|");
  CHECK(ask("LLEN l") == ":2|");
  CHECK(ask("LPOP l 9") == "*2|$1|y|$1|a|");
  CHECK(ask("EXISTS l") == ":0|");
  CHECK(ask("LPOP l 9") == "*-1|");
  CHECK(ask("LPOP l", 3) == "_|");
}

TEST_CASE("database: sets") {
  Asked ask;
  CHECK(ask("SADD e a b c a") == ":3|");
  CHECK(ask("SISMEMBER e b") == ":1|");
  CHECK(ask("SREM e b x") == ":1|");
  CHECK(ask("SISMEMBER e b") == ":0|");
  CHECK(ask("SMEMBERS e", 3) == "~2|$1|a|$1|c|");
  CHECK(ask("SPOP e 5").starts_with("*2|"));
  CHECK(ask("SPOP e") == "$-1|");
}

TEST_CASE("database: SPOP chooses evenly, and the same from the same state") {
  Asked one;
  Asked other;
  std::map<std::string, int> chosen;
  for (int round = 0; round < 2000; ++round) {
    one("SADD e a b c d");
    other("SADD e a b c d");
    const std::string popped = one("SPOP e");
    CHECK(other("SPOP e") == popped);
    ++chosen[popped];
    one("DEL e");
    other("DEL e");
  }
  CHECK(chosen.size() == 4);
  for (const auto& [member, times] : chosen) CHECK(times > 400);
}

TEST_CASE("database: hashes") {
  Asked ask;
  CHECK(ask("HSET h b 1 a 2") == ":2|");
  CHECK(ask("HSET h b 3 c 4") == ":1|");
  CHECK(ask("HGET h b") == "$1|3|");
  CHECK(ask("HGET h x") == "$-1|");
  CHECK(ask("HDEL h c x") == ":1|");
  CHECK(ask("HGETALL h") == "*4|$1|a|$1|2|$1|b|$1|3|");
  CHECK(ask("HGETALL h", 3) == "%2|$1|a|$1|2|$1|b|$1|3|");
  CHECK(ask("HDEL h a b") == ":2|");
  CHECK(ask("EXISTS h") == ":0|");
}

TEST_CASE("database: sorted sets") {
  Asked ask;
  CHECK(ask("ZADD z 2 b 1 a 2 c") == ":3|");
  CHECK(ask("ZRANGE z 0 -1") == "*3|$1|a|$1|b|$1|c|");
  CHECK(ask("ZRANGE z 0 0 REV WITHSCORES") == "*2|$1|c|$1|2|");
  CHECK(ask("ZRANGE z 0 0 WITHSCORES", 3) == "*1|*2|$1|a|,1|");
  CHECK(ask("ZRANGE z (1 +inf BYSCORE LIMIT 1 1") == "*1|$1|c|");
  CHECK(ask("ZRANGE z [b + BYLEX") == "*2|$1|b|$1|c|");
  CHECK(ask("ZADD z GT CH 1 b 3 c") == ":1|");
  CHECK(ask("ZADD z INCR 0.5 a") == "$3|1.5|");
  CHECK(ask("ZADD z NX INCR 1 a") == "$-1|");
  CHECK(ask("ZSCORE z c") == "$1|3|");
  CHECK(ask("ZPOPMIN z", 3) == "*2|$1|a|,1.5|");
  CHECK(ask("ZPOPMIN z 5") == "*4|$1|b|$1|2|$1|c|$1|3|");
  CHECK(ask("EXISTS z") == ":0|");
  CHECK(ask("ZADD z inf a") == ":1|");
  CHECK(ask("ZADD z INCR -inf a") == "-ERR resulting score is not a number (NaN)|");
}

TEST_CASE("database: what is wrong is told in Redis' words, and changes nothing") {
  Asked ask;
  ask("SET s x");
  for (const char* line : {"LPUSH s a", "LPOP s", "LRANGE s 0 1", "SADD s a", "SPOP s",
                           "HSET s f v", "HGETALL s", "ZADD s 1 a", "ZRANGE s 0 1", "ZPOPMIN s"})
    CHECK(ask(line) == "-WRONGTYPE Operation against a key holding the wrong kind of value|");
  CHECK(ask("GET s") == "$1|x|");
  CHECK(ask("GET") == "-ERR wrong number of arguments for 'get' command|");
  CHECK(ask("get a b") == "-ERR wrong number of arguments for 'get' command|");
  CHECK(ask("Nosuch a 'b c'") ==
        "-ERR unknown command 'Nosuch', with args beginning with: 'a' 'b c' |");
}

TEST_CASE("database: what no gateway sends is an error or no reply at all") {
  Asked ask;
  CHECK(ask("PING") == "-ERR no such command in an order|");
  CHECK(ask("GET a", 2, 16) == "-ERR no such command in an order|");
  CHECK(shown(ask.apply({0, {Step{}}}).at(0)) == "-ERR no such command in an order|");
  const mirbft::Request request{mirbft::ClientId(0), mirbft::ReqNo(0), mirbft::Bytes("no order"),
                                {}};
  CHECK(ask.database.apply(mirbft::SeqNr(9), std::span(&request, 1)).at(0).empty());
}

TEST_CASE("database: a key lives by the clock of the orders, which never goes back") {
  Asked ask;
  CHECK(ask("SET a x PX 500") == "+OK|");
  CHECK(ask("SET b x EX 10") == "+OK|");
  CHECK(ask("TTL b") == ":10|");
  ask.time += 500;
  CHECK(ask("EXISTS a") == ":1|");
  ++ask.time;
  CHECK(ask("EXISTS a b") == ":1|");
  ask.time -= 100'000;  // another gateway's clock
  CHECK(ask("EXISTS a b") == ":1|");
  CHECK(ask("TTL b") == ":9|");
  CHECK(ask("SET b y KEEPTTL") == "+OK|");
  CHECK(ask("TTL b") == ":9|");
  CHECK(ask("PERSIST b") == ":1|");
  CHECK(ask("TTL b") == ":-1|");
  CHECK(ask("TTL a") == ":-2|");
  CHECK(ask("EXPIRE b 5") == ":1|");
  CHECK(ask("EXPIRE b 4 GT") == ":0|");
  CHECK(ask("EXPIRE b 4 LT") == ":1|");
  CHECK(ask("EXPIRE b -1") == ":1|");
  CHECK(ask("DBSIZE") == ":0|");
}

TEST_CASE("database: a time that cannot be is no time") {
  Asked ask;
  ask("SET a x EX 10");
  ask.time = ~std::uint64_t{0};
  CHECK(ask("TTL a") == ":10|");
  ask.time = Database::latest_time;
  CHECK(ask("TTL a") == ":-2|");
  CHECK(ask("SET a x EX 9000000000000000") == "+OK|");
  CHECK(ask("SET a x PXAT 9223372036854775807") == "+OK|");
  CHECK(ask("SET a x EX 9223372036854775") == "-ERR invalid expire time in 'set' command|");
  CHECK(ask("EXPIRE a 9223372036854775") == "-ERR invalid expire time in 'expire' command|");
}

TEST_CASE("database: replies that become too long are left for another order") {
  Asked ask;
  ask.apply({1, {{0, 2, {mirbft::Bytes("SET"), mirbft::Bytes("a"),
                         mirbft::Bytes(std::string_view(std::string(600'000, 'x')))}}}});
  Order order{1, std::vector<Step>(20, step("GET a"))};
  CHECK(ask.apply(order).size() == 2);
  for (Step& step : order.steps) step.continues = true;
  const auto replies = ask.apply(order);
  REQUIRE(replies.size() == 20);
  CHECK(replies[4].size() > 600'000);
  CHECK(shown(replies[5]) == "-ERR the reply is too long for a request|");
}

// A request of a few kilobytes must not ask for gigabytes, at every replica and at every replay.
TEST_CASE("database: a reply is never longer than what fits, whatever is asked for") {
  ReplyWriter writer(Protocol::resp2, 100);
  for (int i = 0; i < 1000; ++i) writer.bulk("0123456789");
  CHECK(writer.overflowed());
  CHECK(writer.take().size() <= 100);

  Asked ask;
  const std::string part(50'000, 'x');
  for (int i = 0; i < 20; ++i) ask("APPEND large " + part);
  std::string every = "MGET";
  for (int i = 0; i < 1000; ++i) every += " large";
  CHECK(ask(every) == "-ERR the reply is too long for a request|");
  // After that, no other step of the order is begun.
  const auto replies = ask.apply({ask.time, {step(every), step(every), step("STRLEN large")}});
  CHECK(replies.size() == 1);
  // But for a transaction, of which short replies are heard.
  Step last = step("STRLEN large");
  last.continues = true;
  CHECK(shown(ask.apply({ask.time, {step(every), last}}).at(1)) == ":1000000|");
}

TEST_CASE("database: what a batch may answer is bounded; the rest is to come again") {
  Asked ask;
  const std::string part(50'000, 'x');
  for (int i = 0; i < 40; ++i) ask("APPEND large " + part);
  const mirbft::Request request{mirbft::ClientId(0), mirbft::ReqNo(0),
                                mirbft::wire::encode(Order{ask.time, {step("GET large")}}), {}};
  const std::vector<mirbft::Request> batch(20, request);
  const auto results = ask.database.apply(++ask.sn, batch);
  std::size_t again = 0;
  for (const mirbft::Bytes& result : results) {
    const auto read = mirbft::wire::decode<Replies>(result, mirbft::wire::Form::canonical);
    REQUIRE(read);
    CHECK(read->replies.empty() == read->again);
    again += read->again;
  }
  CHECK(again == 20 - (Database::enough_of_batch / 2'000'000 + 1));
}

TEST_CASE("database: a key whose time is over when it is set is gone for the next step") {
  Asked ask;
  const auto replies = ask.apply(
      {ask.time, {step("SET k v PXAT 1"), step("TTL k"), step("GET k"), step("DBSIZE")}});
  CHECK(shown(replies.at(1)) == ":-2|");
  CHECK(shown(replies.at(2)) == "$-1|");
  CHECK(shown(replies.at(3)) == ":0|");
}

TEST_CASE("database: patterns are bounded, since matching takes time of pattern times name") {
  Asked ask;
  const std::string pattern(257, '*');
  CHECK(ask("KEYS " + pattern).starts_with("-ERR the pattern"));
  CHECK(ask("SCAN 0 MATCH " + pattern).starts_with("-ERR the pattern"));
  CHECK(ask("KEYS " + pattern.substr(1)) == "*0|");
}

TEST_CASE("database: the steps of an order follow one another, and databases are apart") {
  Asked ask;
  const auto replies = ask.apply({1, {step("INCR a"), step("INCR a", 1), step("INCR a", 0, 3)}});
  CHECK(replies == std::vector<mirbft::Bytes>{mirbft::Bytes(":1\r\n"), mirbft::Bytes(":1\r\n"),
                                              mirbft::Bytes(":2\r\n")});
  CHECK(ask("FLUSHALL", 2, 5) == "+OK|");
  CHECK(ask("DBSIZE", 2, 1) == ":0|");
}

}  // namespace redis::database_test
