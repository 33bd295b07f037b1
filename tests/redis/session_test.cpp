// A connection's logic without its socket: order, transactions, versions, bounds, failed orders.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <mirbft/wire/codec.hpp>

#include "../../examples/redis/database.hpp"
#include "../../examples/redis/session.hpp"

namespace redis::session_test {

namespace {

/// Orders that are answered when the test says so.
struct Slow {
  struct Open {
    mirbft::Bytes body;
    std::function<void(const Answer&)> answered;
  };
  std::deque<Open> open;
  std::size_t largest = 0;
  std::size_t submitted = 0;
  Database database;

  void submit(mirbft::Bytes body, std::function<void(const Answer&)> answered) {
    ++submitted;
    largest = std::max(largest, body.size());
    open.push_back({std::move(body), std::move(answered)});
  }
  Open take() {
    REQUIRE(!open.empty());
    Open first = std::move(open.front());
    open.pop_front();
    return first;
  }
  void answer() {
    const Open first = take();
    const mirbft::Request request{mirbft::ClientId(0), mirbft::ReqNo(0), first.body, {}};
    first.answered({database.apply(mirbft::SeqNr(0), std::span(&request, 1)).at(0), {}});
  }
  void fail(std::string_view why) { take().answered({std::nullopt, why}); }
};

struct Connected {
  explicit Connected(SessionLimits limits = {})
      : session(orders, 7, [] { return std::uint64_t{1'000'000}; }, limits) {}

  Slow orders;
  Session<Slow> session;

  /// What comes out at once, with `|` for each line's end.
  std::string operator()(std::string_view input) {
    session.receive(input);
    return output();
  }
  std::string output() {
    std::string text;
    while (session.has_output())
      for (const char letter : session.take_output())
        if (letter != '\r') text += letter == '\n' ? '|' : letter;
    return text;
  }
  /// The same after all that is open was answered.
  std::string finish() {
    std::string text = output();
    while (!orders.open.empty()) {
      orders.answer();
      text += output();
    }
    return text;
  }
};

static_assert(IsOrders<Slow>);

}  // namespace

TEST_CASE("session: replies come in the order of the commands, whoever gives them") {
  Connected client;
  CHECK(client("PING\r\nSET a 1\r\nPING\r\nGET a\r\n") == "+PONG|");
  CHECK(client("ECHO x\r\n").empty());
  CHECK(client.finish() == "+OK|+PONG|$1|1|$1|x|");
}

TEST_CASE("session: one order is under way; what comes meanwhile goes together into the next") {
  Connected client;
  client("INCR a\r\n");
  for (int more = 0; more < 50; ++more) client("INCR a\r\n");
  CHECK(client.orders.open.size() == 1);
  client.orders.answer();
  CHECK(client.output() == ":1|");
  CHECK(client.orders.open.size() == 1);
  CHECK(client.finish().ends_with(":50|:51|"));
  CHECK(client.orders.submitted == 2);
}

TEST_CASE("session: a transaction is one order, and nothing of it before EXEC") {
  Connected client;
  CHECK(client("MULTI\r\nINCR a\r\nPING\r\nSELECT 3\r\nINCR a\r\nLPUSH a x\r\n") ==
        "+OK|+QUEUED|+QUEUED|+QUEUED|+QUEUED|+QUEUED|");
  CHECK(client.orders.submitted == 0);
  CHECK(client("EXEC\r\nGET a\r\n") == "*5|");
  CHECK(client.finish() ==
        ":1|+PONG|+OK|:1|-WRONGTYPE Operation against a key holding the wrong kind of value|"
        "$1|1|");
  CHECK(client.orders.submitted == 1);
  CHECK(client.orders.database.keys(3).size() == 1);
}

TEST_CASE("session: DISCARD and errors end a transaction without effect") {
  Connected client;
  CHECK(client("EXEC\r\nDISCARD\r\n") ==
        "-ERR EXEC without MULTI|-ERR DISCARD without MULTI|");
  CHECK(client("MULTI\r\nMULTI\r\nSET a 1\r\nDISCARD\r\n") ==
        "+OK|-ERR MULTI calls can not be nested|+QUEUED|+OK|");
  CHECK(client("MULTI\r\nGET\r\nSET a 1\r\nEXEC\r\n") ==
        "+OK|-ERR wrong number of arguments for 'get' command|+QUEUED|"
        "-EXECABORT Transaction discarded because of previous errors.|");
  CHECK(client("MULTI\r\nEXEC\r\n") == "+OK|*0|");
  CHECK(client.orders.submitted == 0);
}

TEST_CASE("session: a transaction larger than an order is refused when it becomes so") {
  Connected client(SessionLimits{.order_bytes = 1000});
  const std::string set = "SET a " + std::string(400, 'x') + "\r\n";
  CHECK(client("MULTI\r\n" + set + set + set + set + "EXEC\r\n") ==
        "+OK|+QUEUED|+QUEUED|-ERR the transaction is larger than 1000 bytes|+QUEUED|"
        "-EXECABORT Transaction discarded because of previous errors.|");
  CHECK(client.finish().empty());
}

TEST_CASE("session: HELLO changes how replies are written from there on") {
  Connected client;
  CHECK(client("GET a\r\nHELLO 3\r\nGET a\r\nCLIENT GETNAME\r\n").empty());
  const std::string replies = client.finish();
  CHECK(replies.starts_with("$-1|%7|$6|server|"));
  CHECK(replies.ends_with("_|_|"));
  CHECK(client("HELLO 4\r\n") == "-NOPROTO unsupported protocol version|");
  CHECK(client("HELLO 2 SETNAME ann\r\nCLIENT GETNAME\r\nCLIENT ID\r\n")
            .ends_with("*0|$3|ann|:7|"));
}

TEST_CASE("session: an order that failed is an error for each of its commands, and no other's") {
  Connected client;
  CHECK(client("PING\r\nMULTI\r\nINCR a\r\nINCR a\r\nEXEC\r\nPING\r\n") ==
        "+PONG|+OK|+QUEUED|+QUEUED|*2|");
  CHECK(client("INCR b\r\n").empty());
  client.orders.fail("nobody is there");
  const std::string error = "-ERR the cluster gave no result: nobody is there|";
  CHECK(client.output() == error + error + "+PONG|");
  CHECK(client.finish() == ":1|");
  client("INCR b\r\n");
  client.orders.take().answered({mirbft::Bytes("nonsense"), {}});
  CHECK(client.output() == "-ERR the cluster's result cannot be read|");
}

TEST_CASE("session: reading stops while too much waits, and nothing is lost by it") {
  Connected client(SessionLimits{.order_bytes = 2000, .pending_bytes = 4000, .output_bytes = 500});
  std::string input;
  for (int number = 0; number < 300; ++number) input += "INCR a\r\nPING\r\n";
  std::string output;
  std::size_t read = 0;
  bool stopped = false;
  while (read < input.size() || !client.orders.open.empty()) {
    while (client.session.wants_input() && read < input.size()) {
      client.session.receive(std::string_view(input).substr(read, 50));
      read += 50;
    }
    stopped |= read < input.size();
    if (!client.orders.open.empty()) client.orders.answer();
    output += client.output();
  }
  std::string expected;
  for (int number = 1; number <= 300; ++number)
    expected += ':' + std::to_string(number) + "|+PONG|";
  CHECK(output == expected);
  CHECK(stopped);
  CHECK(client.orders.largest <= 2000);
}

TEST_CASE("session: replies that are too long for one order come with the next ones") {
  Connected client;
  client("SET a " + std::string(50'000, 'x') + "\r\n");
  client.finish();
  std::string input;
  for (int number = 0; number < 100; ++number) input += "GET a\r\nINCR n\r\n";
  std::string output = client(input + "MULTI\r\nGET a\r\nINCR n\r\nEXEC\r\nPING\r\n");
  std::size_t longest = 0;
  while (!client.orders.open.empty()) {
    client.orders.answer();
    const std::string more = client.output();
    longest = std::max(longest, more.size());
    output += more;
  }
  std::string expected;
  const std::string value = "$50000|" + std::string(50'000, 'x') + '|';
  for (int number = 1; number <= 100; ++number)
    expected += value + ':' + std::to_string(number) + '|';
  const bool as_expected =
      output == expected + "+OK|+QUEUED|+QUEUED|*2|" + value + ":101|+PONG|";
  CHECK(as_expected);
  CHECK(longest < 2'000'000);
}

TEST_CASE("session: a command that is too large for an order is refused") {
  Connected client(SessionLimits{.order_bytes = 1000});
  CHECK(client("SET a " + std::string(900, 'x') + "\r\n").empty());
  CHECK(client.orders.largest <= 1000);
  CHECK(client.finish() == "+OK|");
  CHECK(client("*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1000\r\n") ==
        "-ERR Protocol error: invalid bulk length|");
  CHECK(client.session.finished());
}

TEST_CASE("session: QUIT ends it after what came before, and nothing after") {
  Connected client;
  client("INCR a\r\nQUIT\r\nINCR a\r\n");
  CHECK_FALSE(client.session.finished());
  CHECK_FALSE(client.session.wants_input());
  CHECK(client.finish() == ":1|+OK|");
  CHECK(client.session.finished());
  CHECK(client.orders.submitted == 1);
}

TEST_CASE("session: COMMAND tells what the table holds") {
  Connected client;
  CHECK(client("COMMAND COUNT\r\n") == ":51|");
  CHECK(client("COMMAND\r\n").starts_with("*51|*10|$6|append|:3|*1|+write|:1|:1|:1|"));
  CHECK(client("COMMAND INFO nosuch\r\n") == "*1|*-1|");
  CHECK(client("COMMAND DOCS\r\n") == "-ERR unknown subcommand 'DOCS'. Try COMMAND HELP.|");
  CHECK(client("CONFIG GET SAVE app*\r\n") == "*4|$10|appendonly|$2|no|$4|save|$0||");
  CHECK(client("INFO nosuch\r\n") == "$0||");
}

}  // namespace redis::session_test
