#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/client.hpp>

namespace mirbft::sim::client_test {
namespace {

using namespace std::chrono_literals;

/// Four replicas that only note what they are asked.
struct Asked {
  std::vector<std::pair<NodeId, Request>> sent;
  std::vector<Request> made;
  Clock clock;
  Findings findings{1, clock};
  /// What the client believes by the last answer.
  std::optional<ClientResult> known;

  Time go_on(Client& client, Time now) {
    return client.go_on(
        now, [&](NodeId to, const Request& request, Spread) { sent.push_back({to, request}); },
        [&](const Request& request) { made.push_back(request); });
  }
  bool reply(Client& client, std::uint64_t from, std::uint64_t number,
             mirbft::Outcome outcome = mirbft::Outcome::delivered, const char* result = "ok") {
    known = client.replied(NodeId(from),
                           {client.id(), ReqNo(number), outcome, SeqNr(number), Bytes(result)},
                           findings);
    return known.has_value();
  }
};

Client make(Target target, std::uint64_t requests = 10, std::size_t open = 2) {
  return Client({.id = ClientId(3),
                 .requests = requests,
                 .open = open,
                 .target = target,
                 .retry_after = 1s},
                {NodeId(0), NodeId(1), NodeId(2), NodeId(3)}, Random(1));
}

}  // namespace

TEST_CASE("a client keeps so many requests open, and makes so many altogether") {
  Asked asked;
  Client client = make(Target::all, 3);
  CHECK(asked.go_on(client, 0s) == 1s);
  CHECK(asked.made.size() == 2);
  CHECK(asked.sent.size() == 8);
  CHECK(client.waits_for() == ReqNo(0));
  for (std::uint64_t number = 0; number < 3; ++number) {
    CHECK(!asked.reply(client, 0, number));
    CHECK(!asked.reply(client, 0, number));  // the same replica again
    CHECK(asked.reply(client, 2, number));
    asked.go_on(client, 0s);
  }
  CHECK(asked.made.size() == 3);
  CHECK(client.done());
  CHECK(client.completed() == 3);
  CHECK(!client.waits_for());
  CHECK(asked.findings.none());
}

TEST_CASE("whoever asks one replica believes it; it asks again, with the same number, in time") {
  Asked asked;
  Client client = make(Target::one, 1);
  asked.go_on(client, 0s);
  CHECK(asked.sent.size() == 1);
  CHECK(asked.go_on(client, 999ms) == 1s);
  CHECK(asked.sent.size() == 1);
  CHECK(asked.go_on(client, 1s) == 2s);
  REQUIRE(asked.sent.size() == 2);
  CHECK(asked.sent[0].second == asked.sent[1].second);
  CHECK(asked.made.size() == 1);
  CHECK(client.retries() == 1);
  CHECK(asked.reply(client, 1, 0));
  CHECK(client.done());
}

TEST_CASE("refusals that may pass are waited out, also what is delivered already counts") {
  Asked asked;
  Client client = make(Target::one, 1);
  asked.go_on(client, 0s);
  for (const auto outcome :
       {mirbft::Outcome::overloaded, mirbft::Outcome::rejected_window, mirbft::Outcome::shut_down})
    CHECK(!asked.reply(client, 1, 0, outcome));
  CHECK(asked.findings.none());
  CHECK(asked.reply(client, 1, 0, mirbft::Outcome::already_delivered));
  CHECK(client.done());
}

TEST_CASE("replicas that answer differently, or refuse what is honest, are found out") {
  Asked asked;
  Client client = make(Target::all, 1);
  asked.go_on(client, 0s);
  SUBCASE("another result") {
    asked.reply(client, 0, 0);
    asked.reply(client, 1, 0, mirbft::Outcome::delivered, "other");
    CHECK(asked.findings.all().at(0).rule == "same results");
  }
  SUBCASE("a refusal") {
    asked.reply(client, 0, 0, mirbft::Outcome::rejected_conflict);
    CHECK(asked.findings.all().at(0).rule == "admission");
  }
}

// A liar's word, heard last, is not what the client believes.
TEST_CASE("who believes equal answers believes none when the result is forgotten") {
  Asked scene;
  Client client({.id = ClientId(3), .requests = 1, .belief = Belief::equal_answers},
                {NodeId(0), NodeId(1), NodeId(2), NodeId(3)}, Random(1));
  scene.go_on(client, 0s);
  using enum mirbft::Outcome;
  CHECK(!scene.reply(client, 0, 0, delivered, "ok"));
  CHECK(!scene.reply(client, 1, 0, already_delivered, ""));
  CHECK(!scene.reply(client, 2, 0, already_delivered, ""));
  CHECK(!client.replied(NodeId(3), {client.id(), ReqNo(0), delivered, {}, Bytes("a lie")},
                        scene.findings, Client::Whom::anybody));
  scene.known = client.replied(NodeId(3), {client.id(), ReqNo(0), delivered, {}, Bytes("a lie")},
                               scene.findings, Client::Whom::anybody);
  REQUIRE(scene.known);
  CHECK(!scene.known->result);
  CHECK(scene.findings.none());
}

TEST_CASE("a client that is stopped ends what is open, with other replicas if it must") {
  Asked asked;
  Client client = make(Target::all);
  asked.go_on(client, 0s);
  client.stop();
  client.turn_to({NodeId(2)}, 100ms);
  CHECK(asked.go_on(client, 100ms) == 1100ms);
  REQUIRE(asked.sent.size() == 10);
  CHECK(asked.sent[8].first == NodeId(2));
  CHECK(asked.reply(client, 2, 0));
  CHECK(asked.reply(client, 2, 1));
  CHECK(client.done());
  asked.go_on(client, 200ms);
  CHECK(asked.made.size() == 2);
}

TEST_CASE("bodies are the user's, and drawn from the seed") {
  Asked asked;
  Client client({.id = ClientId(3),
                 .requests = 1,
                 .body = [](ClientId id, ReqNo number, Random& random) {
                   return std::to_string(id.value) + "." + std::to_string(number.value) + "." +
                          std::to_string(random.below(1));
                 }},
                {NodeId(0)}, Random(1));
  asked.go_on(client, 0s);
  REQUIRE(asked.made.size() == 1);
  CHECK(asked.made[0].data == Bytes("3.0.0"));
}

TEST_CASE("a client signs anew whenever it asks, and is refused while it has another key") {
  Asked asked;
  const char* key = "old";
  Client client({.id = ClientId(3),
                 .requests = 1,
                 .retry_after = 1s,
                 .sign = [&](const Request&) { return Bytes(key); }},
                {NodeId(0)}, Random(1));
  asked.go_on(client, 0s);
  CHECK_FALSE(asked.reply(client, 0, 0, mirbft::Outcome::rejected_signature));
  CHECK(asked.findings.none());
  key = "new";
  asked.go_on(client, 1s);
  REQUIRE(asked.sent.size() == 2);
  CHECK(asked.sent[0].second.authenticator == Bytes("old"));
  CHECK(asked.sent[1].second.authenticator == Bytes("new"));
  CHECK(asked.reply(client, 0, 0));

  Client unsigned_one = make(Target::one);
  asked.go_on(unsigned_one, 0s);
  CHECK_FALSE(asked.reply(unsigned_one, 0, 0, mirbft::Outcome::rejected_signature));
  CHECK_FALSE(asked.findings.none());
}

}  // namespace mirbft::sim::client_test
