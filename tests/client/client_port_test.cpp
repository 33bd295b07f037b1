// The port for clients: answers, limits, and what it does not put up with.
#include <mirbft/client/client_port.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../support/fake_replica.hpp"
#include "../support/raw_socket.hpp"
#include "../support/waiting.hpp"

namespace mirbft::client_port_test {

using namespace mirbft::testing;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t mib = 1 << 20;

ClientPortConfig port_config() {
  return {.self = NodeId(3), .cluster_id = "port"};
}

/// A port before a replica that answers when it is told.
struct Fixture {
  explicit Fixture(ClientPortConfig config = port_config()) : port(std::move(config), replica) {}

  RawClient hello(std::uint64_t client) {
    RawClient made = connect_to(port.port());
    made.write(ToReplica::hello, ClientHello{client_protocol, "port", ClientId(client)});
    const auto answer = made.read<ReplicaHello>(ToClient::hello);
    CHECK((answer && answer->node == NodeId(3) && answer->cluster_id == "port"));
    return made;
  }
  bool ends(std::uint64_t LinkEnds::*reason, std::uint64_t count = 1) const {
    return eventually([&] { return port.status().ended.*reason == count; });
  }
  bool has_open(std::size_t count) const {
    return eventually([&] { return replica.open() == count; });
  }
  bool is_idle() const {
    return eventually([&] {
      const ClientPortStatus now = port.status();
      return now.used.connections + now.used.requests + now.used.request_bytes +
                 now.used.answer_bytes + now.addresses + now.clients ==
             0;
    });
  }

  FakeReplica replica;
  ClientPort<FakeReplica> port;
};

Request request_of(std::uint64_t client, std::uint64_t number, const char* data = "") {
  return {ClientId(client), ReqNo(number), Bytes(data), Bytes("signed")};
}
void submit(const RawClient& client, std::uint64_t number, Request request,
            Spread spread = Spread::by_client) {
  client.write(ToReplica::submission, Submission{number, spread, std::move(request)});
}
/// The number of the submission that is answered next, and how.
std::optional<std::pair<std::uint64_t, Outcome>> next_answer(RawClient& client) {
  const auto answer = client.read<SubmissionAnswer>(ToClient::answer);
  if (!answer) return std::nullopt;
  return std::pair(answer->number, answer->reply.outcome);
}
using Answered = std::optional<std::pair<std::uint64_t, Outcome>>;

}  // namespace

TEST_CASE("a submission is answered under its number") {
  Fixture it;
  {
    RawClient client = it.hello(1);
    submit(client, 70, request_of(1, 0, "a"));
    submit(client, 71, request_of(1, 1, "b"));
    REQUIRE(it.has_open(2));
    CHECK(it.replica.answer_oldest(Outcome::delivered, Bytes("A")).data == Bytes("a"));
    const auto answer = client.read<SubmissionAnswer>(ToClient::answer);
    REQUIRE(answer);
    CHECK(answer->number == 70);
    CHECK(answer->reply.result == Bytes("A"));
    CHECK(answer->reply.sn == SeqNr(5));
    it.replica.answer_oldest(Outcome::rejected_window);
    CHECK(next_answer(client) == Answered({71, Outcome::rejected_window}));
    CHECK(eventually([&] { return it.port.status().answered == 2; }));
  }
  CHECK(it.ends(&LinkEnds::lost));
  CHECK(it.is_idle());
}

TEST_CASE("a refusal of one request is not handed to another under the same number") {
  Fixture it;
  RawClient forger = it.hello(1);
  RawClient honest = it.hello(1);
  submit(forger, 1, request_of(1, 0, "forged"));
  REQUIRE(it.has_open(1));
  submit(honest, 2, request_of(1, 0, "honest"));
  submit(honest, 3, request_of(1, 1, "other"));
  REQUIRE(it.has_open(2));  // the one under another number does not wait
  CHECK(eventually([&] { return it.port.status().held_back == 1; }));
  it.replica.answer_oldest(Outcome::rejected_signature);
  CHECK(next_answer(forger) == Answered({1, Outcome::rejected_signature}));
  REQUIRE(it.has_open(2));
  it.replica.answer_oldest(Outcome::delivered);
  CHECK(next_answer(honest) == Answered({3, Outcome::delivered}));
  CHECK(it.replica.answer_oldest(Outcome::delivered).data == Bytes("honest"));
  CHECK(next_answer(honest) == Answered({2, Outcome::delivered}));
}

TEST_CASE("the same request again does not wait") {
  Fixture it;
  RawClient first = it.hello(1);
  RawClient second = it.hello(1);
  submit(first, 1, request_of(1, 0));
  submit(second, 2, request_of(1, 0));
  CHECK(it.has_open(2));
}

TEST_CASE("repeated rubbish does not get ahead of the request that waits for its end") {
  Fixture it;
  RawClient forger = it.hello(1);
  RawClient honest = it.hello(1);
  submit(forger, 1, request_of(1, 0, "forged"));
  REQUIRE(it.has_open(1));
  submit(honest, 2, request_of(1, 0, "honest"));
  CHECK(eventually([&] { return it.port.status().held_back == 1; }));
  submit(forger, 3, request_of(1, 0, "forged"));
  CHECK(eventually([&] { return it.port.status().held_back == 2; }));
  it.replica.answer_oldest(Outcome::rejected_signature);
  REQUIRE(it.has_open(1));
  CHECK(it.replica.answer_oldest(Outcome::delivered).data == Bytes("honest"));
  CHECK(next_answer(honest) == Answered({2, Outcome::delivered}));
}

TEST_CASE("a Node that takes nothing") {
  Fixture it;
  RawClient client = it.hello(1);
  SUBCASE("has too much to do") {
    it.replica.take(Submitted::overloaded);
    submit(client, 1, request_of(1, 0));
    CHECK(next_answer(client) == Answered({1, Outcome::overloaded}));
    CHECK(eventually([&] { return it.port.status().refused.replica_full == 1; }));
  }
  SUBCASE("has stopped") {
    it.replica.take(Submitted::stopped);
    submit(client, 1, request_of(1, 0));
    CHECK(next_answer(client) == Answered({1, Outcome::shut_down}));
  }
  CHECK(eventually([&] { return it.port.status().used.requests == 0; }));
}

TEST_CASE("answers to a connection that is gone are dropped, and use nothing up") {
  Fixture it;
  {
    RawClient client = it.hello(1);
    submit(client, 1, request_of(1, 0));
    REQUIRE(it.has_open(1));
  }
  CHECK(it.ends(&LinkEnds::lost));
  CHECK(it.port.status().used.requests == 1);
  CHECK(it.port.status().used.connections == 0);
  it.replica.answer_oldest(Outcome::delivered);
  CHECK(it.is_idle());
  CHECK(it.port.status().dropped_answers == 1);
}

TEST_CASE("a port may go before its answers come") {
  FakeReplica replica;
  {
    ClientPort<FakeReplica> port(port_config(), replica);
    RawClient client = connect_to(port.port());
    client.write(ToReplica::hello, ClientHello{client_protocol, "port", ClientId(1)});
    submit(client, 1, request_of(1, 0));
    REQUIRE(eventually([&] { return replica.open() == 1; }));
  }
  replica.answer_oldest(Outcome::delivered);
}

TEST_CASE("who does not begin with the right Hello is turned away") {
  Fixture it;
  RawClient client = connect_to(it.port.port());
  ClientHello hello{client_protocol, "port", ClientId(1)};
  std::uint64_t LinkEnds::*reason = nullptr;
  SUBCASE("another cluster") {
    hello.cluster_id = "another";
    client.write(ToReplica::hello, hello);
    reason = &LinkEnds::wrong_cluster;
  }
  SUBCASE("another version") {
    ++hello.version;
    client.write(ToReplica::hello, hello);
    reason = &LinkEnds::wrong_version;
  }
  SUBCASE("rubbish in a Hello") {
    client.write_frame(ToReplica::hello, Bytes("\xff\xff rubbish"));
    reason = &LinkEnds::bad_hello;
  }
  SUBCASE("a request in its place") {
    submit(client, 1, request_of(1, 0));
    reason = &LinkEnds::bad_hello;
  }
  CHECK(client.is_closed());
  CHECK(it.ends(reason));
  CHECK(it.port.status().last_end.find("127.0.0.1: ") != std::string::npos);
  CHECK(it.is_idle());
}

TEST_CASE("a Hello that is slow does not hold a place for long") {
  ClientPortConfig config = port_config();
  config.hello_within = 100ms;
  Fixture it(config);
  RawClient client = connect_to(it.port.port());
  SUBCASE("nothing comes") {}
  SUBCASE("a byte is not a Hello") { client.write(Bytes{1}.view()); }
  CHECK(client.is_closed());
  CHECK(it.ends(&LinkEnds::no_hello));
  CHECK(it.is_idle());
}

TEST_CASE("a client that breaks the rules is cut off") {
  Fixture it;
  RawClient client = it.hello(1);
  std::uint64_t LinkEnds::*reason = nullptr;
  SUBCASE("a frame of an unknown kind") {
    client.write_frame(static_cast<ToReplica>(9), {});
    reason = &LinkEnds::unknown_kind;
  }
  SUBCASE("a frame that is announced as too long, before it comes") {
    client.write(frame_header(ToReplica::submission, 128 * 1024 + 1));
    reason = &LinkEnds::too_long;
  }
  SUBCASE("a frame that cannot be decoded") {
    client.write_frame(ToReplica::submission, Bytes("rubbish"));
    reason = &LinkEnds::bad_frame;
  }
  SUBCASE("a request that is said to come from a replica") {
    submit(client, 1, request_of(1, 0), Spread::fetched);
    reason = &LinkEnds::bad_frame;
  }
  SUBCASE("another client's request") {
    submit(client, 1, request_of(2, 0));
    reason = &LinkEnds::stranger;
  }
  SUBCASE("a second Hello") {
    client.write(ToReplica::hello, ClientHello{client_protocol, "port", ClientId(1)});
    reason = &LinkEnds::bad_hello;
  }
  CHECK(client.is_closed());
  CHECK(it.ends(reason));
  CHECK(it.replica.open() == 0);
  CHECK(it.is_idle());
}

TEST_CASE("a client that is silent is given up; pings are signs of life") {
  ClientPortConfig config = port_config();
  config.ping_after = 20ms;
  config.dead_after = 100ms;
  Fixture it(config);
  RawClient client = it.hello(1);
  CHECK(client.is_closed());
  CHECK(it.ends(&LinkEnds::silent));
}

TEST_CASE("there is room for so many connections") {
  ClientPortConfig config = port_config();
  SUBCASE("of all") {
    config.total.connections = 2;
    Fixture it(config);
    const RawClient one = it.hello(1);
    std::optional<RawClient> two(it.hello(2));
    CHECK(connect_to(it.port.port()).is_closed());
    CHECK(it.ends(&LinkEnds::port_full));
    two.reset();
    CHECK(it.ends(&LinkEnds::lost));
    it.hello(3);
  }
  SUBCASE("of an address") {
    config.per_address.connections = 1;
    Fixture it(config);
    const RawClient one = it.hello(1);
    CHECK(connect_to(it.port.port()).is_closed());
    CHECK(it.ends(&LinkEnds::address_full));
  }
  SUBCASE("of a client") {
    config.per_client.connections = 1;
    Fixture it(config);
    const RawClient one = it.hello(1);
    RawClient another = it.hello(1);
    CHECK(another.is_closed());
    CHECK(it.ends(&LinkEnds::client_full));
    it.hello(2);
  }
}

TEST_CASE("there is room for so many open requests") {
  ClientPortConfig config = port_config();
  std::uint64_t PortRefusals::*refusal = nullptr;
  SUBCASE("of all") {
    config.total.requests = 2;
    refusal = &PortRefusals::port_full;
  }
  SUBCASE("of an address") {
    config.per_address.requests = 2;
    refusal = &PortRefusals::address_full;
  }
  SUBCASE("of a client") {
    config.per_client.requests = 2;
    refusal = &PortRefusals::client_full;
  }
  Fixture it(config);
  RawClient client = it.hello(1);
  for (const std::uint64_t number : {0U, 1U, 2U}) submit(client, number, request_of(1, number));
  CHECK(next_answer(client) == Answered({2, Outcome::overloaded}));
  CHECK(it.replica.open() == 2);
  CHECK(eventually([&] { return it.port.status().refused.*refusal == 1; }));
  it.replica.answer_oldest(Outcome::delivered);
  CHECK(next_answer(client) == Answered({0, Outcome::delivered}));
  submit(client, 3, request_of(1, 3));
  CHECK(it.has_open(2));
}

TEST_CASE("there is room for so many bytes of open requests") {
  ClientPortConfig config = port_config();
  config.per_client.request_bytes = 128 * 1024;
  Fixture it(config);
  RawClient client = it.hello(1);
  const std::string body(100'000, 'x');
  submit(client, 1, request_of(1, 0, body.c_str()));
  submit(client, 2, request_of(1, 1, body.c_str()));
  CHECK(next_answer(client) == Answered({2, Outcome::overloaded}));
  CHECK(eventually([&] { return it.port.status().refused.client_full == 1; }));
  CHECK(it.replica.open() == 1);
}

TEST_CASE("a client that does not read its answers is cut off") {
  ClientPortConfig config = port_config();
  config.per_client.answer_bytes = 8 * mib;
  Fixture it(config);
  RawClient slow = it.hello(1);
  RawClient other = it.hello(2);
  const Bytes large(std::string(mib, 'x'));
  std::uint64_t most = 0;
  for (std::uint64_t number = 0; it.port.status().ended.slow_reader == 0; ++number) {
    REQUIRE(number < 100);  // what the socket takes is little
    submit(slow, number, request_of(1, number));
    REQUIRE(eventually(
        [&] { return it.replica.open() == 1 || it.port.status().ended.slow_reader == 1; }));
    if (it.replica.open() == 0) break;
    it.replica.answer_oldest(Outcome::delivered, large);
    REQUIRE(eventually([&] {
      const ClientPortStatus now = it.port.status();
      most = std::max(most, now.used.answer_bytes);
      return now.answered == number + 1 || now.ended.slow_reader == 1;
    }));
  }
  CHECK(most > 0);
  CHECK(most <= 8 * mib);
  submit(other, 1, request_of(2, 0));
  REQUIRE(it.has_open(1));
  it.replica.answer_oldest(Outcome::delivered, large);
  CHECK(next_answer(other) == Answered({1, Outcome::delivered}));
}

TEST_CASE("of those who fill the port with answers, who reads none is cut off") {
  ClientPortConfig config = port_config();
  SUBCASE("of all") { config.total.answer_bytes = 8 * mib; }
  SUBCASE("of an address") { config.per_address.answer_bytes = 8 * mib; }
  Fixture it(config);
  RawClient slow = it.hello(1);
  RawClient good = it.hello(2);
  const auto answer = [&](RawClient& client, std::uint64_t id, std::uint64_t number) {
    submit(client, number, request_of(id, number));
    REQUIRE(it.has_open(1));
    const std::uint64_t before = it.port.status().answered;
    it.replica.answer_oldest(Outcome::delivered, Bytes(std::string(mib, 'x')));
    REQUIRE(eventually([&] { return it.port.status().answered == before + 1; }));
  };
  std::uint64_t number = 0;
  while (it.port.status().used.answer_bytes < 7 * mib) answer(slow, 1, number++);
  // It leaves less room than an answer takes.
  for (std::uint64_t next = 0; it.port.status().ended.slow_reader == 0; ++next) {
    REQUIRE(next < 20);
    answer(good, 2, next);
    CHECK(next_answer(good) == Answered({next, Outcome::delivered}));
  }
  CHECK(slow.is_closed());
  answer(good, 2, 100);
  CHECK(next_answer(good) == Answered({100, Outcome::delivered}));
  CHECK(it.port.status().ended.slow_reader == 1);
}

TEST_CASE("a result that fits in no frame is told as one that is forgotten") {
  Fixture it;
  RawClient client = it.hello(1);
  submit(client, 1, request_of(1, 0));
  REQUIRE(it.has_open(1));
  it.replica.answer_oldest(Outcome::delivered, Bytes(std::string(4 * mib, 'x')));
  CHECK(next_answer(client) == Answered({1, Outcome::already_delivered}));
  CHECK(eventually([&] { return it.port.status().too_long_answers == 1; }));
}

TEST_CASE("a configuration that cannot work is refused") {
  FakeReplica replica;
  ClientPortConfig config = port_config();
  const auto field = [&] {
    try {
      ClientPort<FakeReplica> port(config, replica);
    } catch (const ConfigError& error) {
      return error.field();
    }
    return std::string();
  };
  CHECK(field().empty());
  SUBCASE("no cluster") {
    config.cluster_id.clear();
    CHECK(field() == "cluster_id");
  }
  SUBCASE("no room for a connection") {
    config.per_client.connections = 0;
    CHECK(field() == "per_client.connections");
  }
  SUBCASE("no room for an answer") {
    config.total.answer_bytes = mib;
    CHECK(field() == "total.answer_bytes");
  }
  SUBCASE("too little patience") {
    config.dead_after = config.ping_after;
    CHECK(field() == "dead_after");
  }
  SUBCASE("a port in use") {
    Fixture other;
    config.listen_port = other.port.port();
    CHECK(field() == "listen_port");
  }
  SUBCASE("an address of another machine") {
    config.listen_host = "192.0.2.1";
    CHECK(field() == "listen_host");
  }
}

}  // namespace mirbft::client_port_test
