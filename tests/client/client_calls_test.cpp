// What a client asks, whom it believes, and how its requests end: without threads and sockets.
#include <mirbft/client/client_calls.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/types/client_position.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::client_calls_test {

using namespace std::chrono_literals;

namespace {

using Time = ClientCall::Time;

/// Says who signed what; counts how often it was called.
struct NumberingSigner {
  std::vector<Bytes> sign(std::span<const RequestRef> requests) {
    ++*calls;
    std::vector<Bytes> signatures;
    for (const RequestRef& request : requests)
      signatures.emplace_back("signed " + std::to_string(request.req_no.value));
    return signatures;
  }
  std::size_t* calls;
};

/// Four replicas, of which one may lie: w is 2 and q is 3.
class Fixture {
 public:
  explicit Fixture(std::uint64_t send_to = 0)
      : config_{.cluster_id = "calls",
                .id = ClientId(7),
                .replicas = {{NodeId(0), "a", 1}, {NodeId(1), "b", 1}, {NodeId(2), "c", 1},
                             {NodeId(3), "d", 1}},
                .send_to = send_to,
                .max_open = 4,
                .retry_after = 1'000ms},
        calls_(config_, NumberingSigner{&signings}) {}

  /// All replicas are there, and say that the client has never been seen. Its empty requests are
  /// delivered.
  void begin(ClientPosition position = {}) {
    for (std::size_t place = 0; place < 4; ++place) calls_.connected(place);
    go_on();
    for (std::size_t place = 0; place < 4; ++place) stand(place, position);
    for (std::uint64_t round = 0; calls_.status().filled < 4; ++round) {
      REQUIRE(round < 10);
      go_on();
      for (const auto& [place, submission] : std::exchange(sent, {}))
        answer(place, submission, "", submission.request.req_no.value);
    }
    strays_ = calls_.status().stray_answers;
  }

  void stand(std::size_t place, ClientPosition position) {
    for (const auto& [to, submission] : sent)
      if (to == place && submission.request.req_no == never_valid)
        return calls_.answered(place,
                               {submission.number,
                                {config_.id, never_valid, Outcome::rejected_window, {},
                                 wire::encode(position)}},
                               now);
    FAIL("the replica was not asked where the client stands");
  }

  void call(const char* data, std::chrono::milliseconds within = 10'000ms) {
    calls_.add({Bytes(data), [this](const ClientReply& reply) { ended.push_back(reply); },
                now + within});
    go_on();
  }
  void go_on(std::chrono::milliseconds later = 0ms) {
    now += later;
    wake = calls_.go_on(now, [this](std::size_t place, const Submission& submission) {
      if (place == full) return false;
      sent.emplace_back(place, submission);
      return true;
    });
  }

  void answer(std::size_t place, const Submission& to, const char* result, std::uint64_t sn = 9) {
    answer(place, to, Outcome::delivered, result, sn);
  }
  void answer(std::size_t place, const Submission& to, Outcome outcome, const char* result = "",
              std::uint64_t sn = 0) {
    calls_.answered(
        place,
        {to.number, {config_.id, to.request.req_no, outcome, SeqNr(sn), Bytes(result)}}, now);
  }

  /// What a replica was asked last.
  Submission last(std::size_t place) const {
    std::optional<Submission> found;
    for (const auto& [to, submission] : sent)
      if (to == place) found = submission;
    REQUIRE(found);
    return *found;
  }
  /// To whom something was sent since this was asked last.
  std::vector<std::size_t> places() {
    std::vector<std::size_t> places;
    for (const auto& [place, submission] : std::exchange(sent, {})) places.push_back(place);
    return places;
  }

  /// Answers to nothing since the beginning.
  std::uint64_t strays() const { return calls_.status().stray_answers - strays_; }

  std::size_t signings = 0;
  std::vector<std::pair<std::size_t, Submission>> sent;
  std::vector<ClientReply> ended;
  std::optional<std::size_t> full;  // whose queue takes nothing
  Time now{1h};
  Time wake{};  // when it wants to go on

 private:
  ClientConfig config_;
  std::uint64_t strays_ = 0;

 public:
  ClientCalls<NumberingSigner, Sha256> calls_;
};

using Places = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a client learns where it stands before its first request") {
  Fixture it;
  it.call("early");
  CHECK(it.sent.empty());
  for (std::size_t place = 0; place < 4; ++place) it.calls_.connected(place);
  it.go_on();
  CHECK(it.places() == Places{0, 1, 2, 3});
  it.go_on(20ms);
  CHECK(it.sent.empty());  // all are asked
  it.calls_.lost(0, it.now);
  it.calls_.connected(0);
  it.go_on(20ms);
  CHECK(it.places() == Places{0});
}

TEST_CASE("a new life goes on behind what may have been open, and closes the gap") {
  Fixture it;
  for (std::size_t place = 0; place < 4; ++place) it.calls_.connected(place);
  it.go_on();
  it.call("first");
  // A liar has the first word. 12 is what two replicas have seen.
  it.stand(3, {ReqNo(900), ReqNo(1000)});
  it.stand(0, {ReqNo(9), ReqNo(11)});
  it.go_on();
  CHECK(it.calls_.status().next == 0);
  it.stand(1, {ReqNo(10), ReqNo(12)});
  it.places();
  it.go_on();
  // Of the three lows, and of the three nexts, the second highest counts.
  CHECK(it.sent.front().second.request.data == Bytes("first"));
  CHECK(it.sent.front().second.request.req_no == ReqNo(12 + 4));
  std::map<ReqNo, std::size_t> filled;
  for (int round = 0; round < 10; ++round) {
    for (const auto& [place, submission] : std::exchange(it.sent, {})) {
      filled[submission.request.req_no] += submission.request.data.empty() ? 1 : 0;
      it.answer(place, submission, "", submission.request.req_no.value);
    }
    it.go_on();
  }
  CHECK(filled.begin()->first == ReqNo(10));
  CHECK(filled.size() == 7);
  CHECK(filled.at(ReqNo(16)) == 0);
  for (std::uint64_t number = 10; number < 16; ++number) CHECK(filled.at(ReqNo(number)) >= 2);
  CHECK(it.calls_.status().filled == 6);
  CHECK(it.calls_.status().open == 0);
  CHECK(it.calls_.status().delivered == 1);
}

TEST_CASE("a result is believed once w replicas give the same at the same place") {
  Fixture it;
  it.begin();
  it.call("x");
  const auto asked = it.sent;
  REQUIRE(asked.size() == 4);
  CHECK(asked[0].second.spread == Spread::by_client);
  CHECK(asked[0].second.request.authenticator.text().starts_with("signed "));

  it.answer(0, it.last(0), "lie", 9);
  it.answer(1, it.last(1), "truth", 8);
  it.answer(2, it.last(2), "truth", 9);
  CHECK(it.ended.empty());

  SUBCASE("the same place and result") {
    it.answer(3, it.last(3), "truth", 9);
    REQUIRE(it.ended.size() == 1);
    CHECK(it.ended[0] == ClientReply{ClientEnd::delivered, {}, SeqNr(9), Bytes("truth")});
    CHECK(it.calls_.status().open == 0);
    CHECK(it.calls_.go_on(it.now, [](std::size_t, const Submission&) { return true; }) ==
          Time::max());
  }
  SUBCASE("a replica is not asked for its vote twice") {
    it.answer(2, it.last(2), "truth", 9);
    CHECK(it.strays() == 1);
    CHECK(it.ended.empty());
  }
  SUBCASE("answers to submissions that were never made count for nothing") {
    Submission made_up = it.last(3);
    made_up.number = 0;
    it.answer(3, made_up, "truth", 9);
    made_up.number = 77;
    it.answer(3, made_up, "truth", 9);
    made_up = it.last(3);
    made_up.request.req_no = ReqNo(99);
    it.answer(3, made_up, "truth", 9);
    CHECK(it.ended.empty());
    CHECK(it.strays() == 3);
  }
}

TEST_CASE("several requests get their signatures together, and end in any order") {
  Fixture it;
  it.begin();
  const std::size_t before = it.signings;
  for (const char* data : {"a", "b", "c"})
    it.calls_.add({Bytes(data), [&](const ClientReply& reply) { it.ended.push_back(reply); },
                   Time::max()});
  it.go_on();
  CHECK(it.signings == before + 1);
  REQUIRE(it.sent.size() == 12);
  const auto sent = std::exchange(it.sent, {});
  for (auto at = sent.rbegin(); at != sent.rend(); ++at)
    it.answer(at->first, at->second, std::string(at->second.request.data.text()).c_str());
  REQUIRE(it.ended.size() == 3);
  CHECK(it.ended[0].result == Bytes("c"));
  CHECK(it.ended[2].result == Bytes("a"));
}

TEST_CASE("some replicas are asked first, and all once time is up, under one number") {
  Fixture it(2);
  it.begin();
  it.places();
  it.call("x");
  REQUIRE(it.sent.size() == 2);
  const Submission first = it.sent[0].second;
  CHECK(first.spread == Spread::by_replica);
  const Places asked = it.places();
  it.go_on(999ms);
  CHECK(it.sent.empty());
  it.go_on(1ms);
  REQUIRE(it.sent.size() == 2);  // the others
  CHECK(it.sent[0].second.request == first.request);
  CHECK(it.sent[0].first != asked[0]);
  CHECK(it.sent[0].first != asked[1]);
  CHECK(it.calls_.status().retries == 2);
}

TEST_CASE("a request that a connection took with it is handed in again") {
  Fixture it;
  it.begin();
  it.call("x");
  const Submission lost = it.last(1);
  it.places();
  it.calls_.lost(1, it.now);
  it.calls_.connected(1);
  it.go_on(50ms);
  CHECK(it.places() == Places{1});
  it.answer(1, lost, "x");
  CHECK(it.strays() == 1);
}

TEST_CASE("a replica whose queue is full is asked later") {
  Fixture it;
  it.begin();
  it.full = 2;
  it.call("x");
  CHECK(it.places().size() == 3);
  CHECK(it.calls_.status().queue_full == 1);
  it.full.reset();
  it.go_on(1'000ms);
  CHECK(it.places() == Places{2});
}

TEST_CASE("a refusal counts when w replicas refuse for the same reason") {
  Fixture it;
  it.begin();
  it.call("x");
  it.answer(0, it.last(0), Outcome::rejected_signature);
  it.answer(1, it.last(1), Outcome::rejected_conflict);
  it.answer(2, it.last(2), Outcome::overloaded);
  CHECK(it.ended.empty());
  it.answer(3, it.last(3), Outcome::rejected_conflict);
  REQUIRE(it.ended.size() == 1);
  CHECK(it.ended[0] == ClientReply{ClientEnd::rejected, Outcome::rejected_conflict, {}, {}});
  CHECK(it.calls_.status().rejected == 1);
  CHECK(it.calls_.status().open == 0);  // another request has the number
}

TEST_CASE("the number of a request that is refused is closed by an empty one") {
  Fixture it;
  it.begin();
  it.call("x");
  const ReqNo number = it.last(0).request.req_no;
  it.answer(0, it.last(0), Outcome::rejected_size);
  it.answer(1, it.last(1), Outcome::rejected_size);
  CHECK(it.ended.size() == 1);
  it.places();
  it.go_on(1'000ms);
  CHECK(it.last(0).request.req_no == number);
  CHECK(it.last(0).request.data.empty());
  it.answer(0, it.last(0), "");
  it.answer(1, it.last(1), "");
  CHECK(it.calls_.status().open == 0);
  CHECK(it.ended.size() == 1);
}

TEST_CASE("replicas that are overloaded are asked again until the deadline") {
  Fixture it;
  it.begin();
  it.call("x", 5'000ms);
  bool all = true;
  SUBCASE("all of them: it is known that none took it") {}
  SUBCASE("not all") { all = false; }
  std::size_t asked = 0;
  for (int round = 0; it.ended.empty() && round < 1'000; ++round) {
    for (const auto& [place, submission] : std::exchange(it.sent, {})) {
      if (!all && place == 3) continue;
      it.answer(place, submission, Outcome::overloaded);
      ++asked;
    }
    it.go_on(20ms);
  }
  CHECK(asked > 12);
  CHECK(asked < 80);  // the pauses grow
  REQUIRE(it.ended.size() == 1);
  CHECK(it.ended[0].end == (all ? ClientEnd::overloaded : ClientEnd::timed_out));
}

TEST_CASE("a deadline ends a request; its number is closed by an empty one") {
  Fixture it;
  it.begin();
  it.call("x", 500ms);
  const ReqNo number = it.last(0).request.req_no;
  it.answer(0, it.last(0), "x");
  it.go_on(499ms);
  CHECK(it.ended.empty());
  it.go_on(1ms);
  REQUIRE(it.ended.size() == 1);
  CHECK(it.ended[0].end == ClientEnd::timed_out);
  CHECK(it.calls_.status().open == 1);
  CHECK(it.last(0).request.req_no == number);
  CHECK(it.last(0).request.data.empty());
  it.answer(1, it.last(1), "x");
  CHECK(it.calls_.status().open == 0);
  CHECK(it.ended.size() == 1);
}

TEST_CASE("each of many requests has its own deadline, and the client wants to be called by then") {
  Fixture it;
  it.begin();
  for (const int within : {300, 100, 400, 200}) it.call("x", std::chrono::milliseconds(within));
  const Time begun = it.now;
  for (std::size_t ends = 0; ends < 4; ++ends) {
    const Time wake = it.wake;
    CHECK(wake == begun + (ends + 1) * 100ms);
    it.go_on(std::chrono::duration_cast<std::chrono::milliseconds>(wake - it.now) - 1ms);
    CHECK(it.ended.size() == ends);
    it.go_on(1ms);
    CHECK(it.ended.size() == ends + 1);
  }
}

TEST_CASE("deadlines that are close together are met a moment late, and not by a look at each") {
  Fixture it;
  it.begin();
  for (const int within : {100, 101, 102}) it.call("x", std::chrono::milliseconds(within));
  it.go_on(100ms);
  CHECK(it.ended.size() == 1);
  it.go_on(1ms);
  CHECK(it.wake == it.now + 4ms);
  it.go_on(4ms);
  CHECK(it.ended.size() == 3);
}

TEST_CASE("one attempt has one number at all replicas, and the next one another") {
  Fixture it;
  it.begin();
  it.places();
  it.call("x");
  const std::uint64_t number = it.last(0).number;
  for (std::size_t place = 1; place < 4; ++place) CHECK(it.last(place).number == number);
  it.places();
  it.calls_.lost(2, it.now);
  it.calls_.connected(2);
  it.go_on(50ms);
  CHECK(it.last(2).number > number);
}

TEST_CASE("a result that all have forgotten") {
  Fixture it;
  it.begin();
  it.call("x");
  for (int round = 0; it.ended.empty() && round < 100; ++round) {
    for (const auto& [place, submission] : std::exchange(it.sent, {}))
      if (place != 3) it.answer(place, submission, Outcome::already_delivered);
    it.go_on(20ms);
  }
  REQUIRE(it.ended.size() == 1);
  CHECK(it.ended[0].end == ClientEnd::forgotten);
}

TEST_CASE("without w replicas a request waits, and may come too late") {
  Fixture it;
  it.begin();
  for (const std::size_t place : {0U, 1U, 2U}) it.calls_.lost(place, it.now);
  it.places();
  it.call("x", 100ms);
  it.call("y", 300ms);
  CHECK(it.sent.empty());
  CHECK(it.calls_.status().waiting == 2);
  it.go_on(100ms);
  REQUIRE(it.ended.size() == 1);
  CHECK(it.ended[0].end == ClientEnd::timed_out);
  it.calls_.connected(0);
  it.go_on(100ms);
  REQUIRE(it.sent.size() == 2);
  CHECK(it.sent[0].second.spread == Spread::by_replica);  // two do not have it from the client
}

TEST_CASE("a shutdown tells all who wait") {
  Fixture it;
  it.begin();
  it.call("open");
  it.calls_.lost(0, it.now);
  for (int i = 0; i < 5; ++i) it.call("more");
  it.calls_.shut_down();
  REQUIRE(it.ended.size() == 6);
  for (const ClientReply& reply : it.ended) CHECK(reply.end == ClientEnd::shut_down);
}

TEST_CASE("others are asked soon once all who were asked contradict one another") {
  Fixture it(2);
  it.begin();
  it.places();
  it.call("request");
  REQUIRE(it.sent.size() == 2);
  const auto asked = it.sent;
  it.places();
  it.answer(asked[0].first, asked[0].second, "one");
  it.go_on(100ms);
  CHECK(it.places() == Places{});  // the second may yet agree
  it.answer(asked[1].first, asked[1].second, "another");
  it.go_on(100ms);
  CHECK(it.places().size() == 2);
}

}  // namespace mirbft::client_calls_test
