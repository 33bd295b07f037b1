#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/key_value_model.hpp>
#include <mirbft/sim/linearizability.hpp>
#include <mirbft/sim/random.hpp>

namespace mirbft::sim::linearizability_test {
namespace {

using History = std::vector<Operation>;

Time at(std::int64_t moment) { return Time(moment); }

Operation operation(std::string_view request, std::int64_t invoked, std::int64_t returned,
                    std::string_view result) {
  return {ClientId(1), ReqNo(0), Bytes(request), at(invoked), at(returned), Bytes(result)};
}
Operation unanswered(std::string_view request, std::int64_t invoked) {
  return {ClientId(1), ReqNo(0), Bytes(request), at(invoked), never, {}};
}
bool holds(const History& history) {
  const Linearizability verdict = linearizability<KeyValueModel>(history);
  REQUIRE(verdict != Linearizability::undecided);
  return verdict == Linearizability::holds;
}

/// What one machine does with requests that each take effect at a moment between their beginning
/// and their end; a few get no answer, and then perhaps no effect.
History sound_history(Random& random, std::size_t size, std::int64_t span = 30) {
  struct Effect {
    Time moment{};
    std::size_t place = 0;
  };
  History history;
  std::vector<Effect> effects;
  constexpr std::array<std::string_view, 5> requests{"GET k", "INCR k", "DEL k", "SET k 7",
                                                     "SET k a"};
  for (std::size_t i = 0; i < size; ++i) {
    const Time begin = random.between(at(0), at(span));
    const Time moment = random.between(begin, begin + at(15));
    const Time end = random.chance(100) ? never : random.between(moment, moment + at(15));
    history.push_back({ClientId(1), ReqNo(i), Bytes(requests[random.below(requests.size())]), begin,
                       end, {}});
    if (end != never || random.chance(500)) effects.push_back({moment, i});
  }
  std::ranges::stable_sort(effects, {}, &Effect::moment);
  KeyValueModel::State state;
  for (const Effect& effect : effects)
    history[effect.place].result = KeyValueModel::apply(state, history[effect.place].request);
  return history;
}

/// All orders, one after another: what the search must agree with.
bool holds_by_force(const History& history) {
  std::vector<std::size_t> order(history.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  do {
    bool fits = true;
    KeyValueModel::State state;
    for (std::size_t i = 0; i < order.size() && fits; ++i) {
      const Operation& one = history[order[i]];
      for (std::size_t j = i + 1; j < order.size(); ++j)
        fits = fits && history[order[j]].returned >= one.invoked;
      const Bytes result = KeyValueModel::apply(state, one.request);
      fits = fits && (one.returned == never || one.result == result);
    }
    if (fits) return true;
  } while (std::next_permutation(order.begin(), order.end()));
  return false;
}

TEST_CASE("one after another: each sees what was before it") {
  CHECK(holds({}));
  CHECK(holds({operation("SET k 1", 0, 1, "+OK"), operation("GET k", 2, 3, "$1")}));
  CHECK(holds({operation("INCR k", 0, 1, ":1"), operation("INCR k", 2, 3, ":2"),
               operation("DEL k", 4, 5, ":1"), operation("GET k", 6, 7, "_")}));
}

TEST_CASE("a stale read, a lost update, a read of what never was, and one that goes back") {
  CHECK_FALSE(holds({operation("SET k 1", 0, 1, "+OK"), operation("GET k", 2, 3, "_")}));
  CHECK_FALSE(holds({operation("INCR k", 0, 5, ":1"), operation("INCR k", 1, 4, ":1")}));
  CHECK_FALSE(holds({operation("SET k 1", 0, 9, "+OK"), operation("GET k", 1, 2, "$2")}));
  CHECK_FALSE(holds({operation("SET k 1", 0, 9, "+OK"), operation("GET k", 1, 2, "$1"),
                     operation("GET k", 3, 4, "_")}));
  CHECK_FALSE(holds({operation("GET k", 0, 1, "$1"), operation("SET k 1", 2, 3, "+OK")}));
}

TEST_CASE("what overlaps may have come in either order") {
  CHECK(holds({operation("SET k 1", 0, 9, "+OK"), operation("GET k", 1, 2, "_")}));
  CHECK(holds({operation("SET k 1", 0, 9, "+OK"), operation("GET k", 1, 2, "$1")}));
  CHECK(holds({operation("SET k 1", 0, 9, "+OK"), operation("SET k 2", 0, 9, "+OK"),
               operation("GET k", 10, 11, "$1"), operation("GET k", 12, 13, "$1")}));
  CHECK_FALSE(holds({operation("SET k 1", 0, 9, "+OK"), operation("SET k 2", 0, 9, "+OK"),
                     operation("GET k", 10, 11, "$1"), operation("GET k", 12, 13, "$2")}));
}

TEST_CASE("a request without an answer may take effect late, or not yet") {
  CHECK(holds({unanswered("SET k 1", 0), operation("GET k", 5, 6, "_"),
               operation("GET k", 7, 8, "$1")}));
  CHECK(holds({unanswered("SET k 1", 0), operation("GET k", 5, 6, "_")}));
  CHECK_FALSE(holds({unanswered("SET k 1", 0), operation("GET k", 5, 6, "$1"),
                     operation("GET k", 7, 8, "_")}));
  CHECK_FALSE(holds({operation("GET k", 0, 1, "$1"), unanswered("SET k 1", 2)}));
}

TEST_CASE("histories of one machine hold; what was altered in them is judged as by brute force") {
  Random random(11);
  constexpr std::array<std::string_view, 6> results{"_", "$7", "$a", ":1", ":8", "+OK"};
  int broken = 0;
  for (int round = 0; round < 400; ++round) {
    History history = sound_history(random, 1 + random.below(6));
    REQUIRE(holds(history));
    history[random.below(history.size())].result = Bytes(results[random.below(results.size())]);
    const bool sound = holds_by_force(history);
    REQUIRE(holds(history) == sound);
    broken += !sound;
  }
  CHECK(broken > 200);
}

TEST_CASE("long histories are judged at once") {
  Random random(12);
  for (int round = 0; round < 20; ++round) REQUIRE(holds(sound_history(random, 100, 1000)));
}

TEST_CASE("a search that would take too long ends") {
  History history;
  for (std::int64_t i = 0; i < 30; ++i)
    history.push_back(operation("SET k " + std::to_string(i), 0, 9, "+OK"));
  history.push_back(operation("GET k", 10, 11, "$30"));
  CHECK(linearizability<KeyValueModel>(history, 1000) == Linearizability::undecided);
}

TEST_CASE("the model answers as the store does") {
  Random random(13);
  KeyValueStore store;
  KeyValueModel::State state;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    constexpr std::array<std::string_view, 6> requests{
        "GET k", "INCR k", "DEL k", "SET k 7", "SET k a b", "SET k 9223372036854775806"};
    const Bytes text(requests[random.below(requests.size())]);
    const Request request{ClientId(1), ReqNo(i), text, {}};
    const std::vector<Bytes> replies = store.apply(SeqNr(i), {&request, 1});
    REQUIRE(replies.front() == KeyValueModel::apply(state, request.data));
    REQUIRE(KeyValueModel::part(request.data) == "k");
  }
}

TEST_CASE("the check of a run names the first answer that cannot be explained") {
  const Clock clock;
  Findings findings(3, clock);
  Linearizable<KeyValueModel> check;
  const auto serve = [&](std::uint64_t number, std::string_view text, std::int64_t begin,
                         std::string_view result) {
    check.submitted({ClientId(1), ReqNo(number), Bytes(text), {}}, at(begin));
    check.answered(ClientId(1), ReqNo(number), Bytes(result), at(begin + 1));
  };
  serve(0, "SET k 1", 0, "+OK");
  serve(1, "SET other 2", 0, "+OK");
  check.submitted({ClientId(1), ReqNo(2), Bytes(std::string_view("DEL other")), {}}, at(1));
  serve(3, "GET k", 10, "$1");
  check.ended(findings);
  CHECK(findings.none());
  serve(4, "GET k", 20, "_");
  serve(5, "GET k", 30, "_");
  check.ended(findings);
  REQUIRE(findings.count() == 1);
  CHECK(findings.all().front().text.find("request 4 of client 1, 'GET k', was answered '_'") !=
        std::string::npos);
}

}  // namespace
}  // namespace mirbft::sim::linearizability_test
