// Scripted faults: each rule meets the messages that it names, and no others.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/message_facts.hpp>
#include <mirbft/sim/network.hpp>
#include <mirbft/sim/scenario_parser.hpp>
#include <mirbft/sim/script.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/joined.hpp>

namespace mirbft::script_test {
namespace {

using namespace std::chrono_literals;
using Message = IssMessage<PbftMessage>;
using sim::facts_of;
using sim::Time;

Message prepare(std::uint64_t view, std::uint64_t sn, std::uint64_t epoch = 0) {
  return PbftMessage(Prepare{{Epoch(epoch), 0}, View(view), SeqNr(sn), {}, {}});
}
Message commit(std::uint64_t view, std::uint64_t sn, std::uint64_t epoch = 0) {
  return PbftMessage(Commit{{Epoch(epoch), 0}, View(view), SeqNr(sn), {}});
}
Message new_view(std::uint64_t view) {
  NewView message;
  message.view = View(view);
  return PbftMessage(message);
}

/// Plays the lines of a file to messages that are sent one by one, or together.
class Play {
 public:
  explicit Play(const std::string& lines)
      : scenario_(sim::parse_scenario(lines, "x", sim::vocabulary<Message>())),
        script_(scenario_.rules, scenario_.triggers) {}

  /// What becomes of a frame, each passage in brackets: "[Prepare Commit] [NewView +50ms]".
  std::string send(std::uint64_t from, std::uint64_t to, const std::vector<Message>& messages,
                   Time now = 0s) {
    std::vector<Bytes> parts;
    for (const Message& message : messages) parts.push_back(wire::encode(message));
    const auto strike = [&](const sim::Strike& one) { strikes.push_back(one); };
    const auto count = [&](sim::Fault fault) { faults.count(fault); };
    const auto passages = script_.judge(
        {NodeId(from), NodeId(to), FrameClass::vote, wire::join(parts)}, now, strike, count);
    std::string text;
    for (const sim::Passage& passage : passages)
      text += (text.empty() ? "[" : " [") + text_of(passage) + "]";
    return text;
  }
  /// The same for one message from 0 to 1.
  std::string send(const Message& message, Time now = 0s) { return send(0, 1, {message}, now); }

  const sim::Script<Message>& script() const { return script_; }

  std::vector<sim::Strike> strikes;
  sim::FaultCounts faults;

 private:
  static std::string text_of(const sim::Passage& passage) {
    std::string text;
    wire::split(passage.payload, 100, [&](const Bytes& bytes) {
      const auto message = wire::decode<Message>(bytes, wire::Form::canonical);
      (text += text.empty() ? "" : " ") += facts_of(*message).type;
      return true;
    });
    return passage.late == 0s ? text : text + " +" + sim::time_text(passage.late);
  }

  sim::Scenario scenario_;
  sim::Script<Message> script_;
};

}  // namespace

TEST_CASE("what a message says of itself is found wherever it stands") {
  const sim::MessageFacts vote = facts_of(prepare(3, 17, 5));
  CHECK(vote.type == "Prepare");
  CHECK(vote.epoch == 5);
  CHECK(vote.view == 3);
  CHECK(vote.sn == 17);
  CheckpointVote checkpoint;
  checkpoint.header.epoch = Epoch(9);
  checkpoint.header.last = SeqNr(99);
  const sim::MessageFacts facts = facts_of(Message(checkpoint));
  CHECK(facts.type == "CheckpointVote");
  CHECK(facts.epoch == 9);
  CHECK(facts.sn == 99);
  CHECK_FALSE(facts.view);
  CHECK_FALSE(facts_of(Message(Relayed())).epoch);
  const sim::Vocabulary words = sim::vocabulary<Message>();
  CHECK(words.size() == 20);
  CHECK(words.front().type == "PrePrepare");
  CHECK(words.back().type == "Decided");
}

TEST_CASE("a rule meets the type, the ends and the numbers that it names, and nothing else") {
  struct Case {
    const char* line;
    std::string on_prepare;  // of view 1, sn 5, epoch 2, from 0 to 1
  };
  const Case cases[] = {
      {"for Prepare drop", ""},
      {"for any drop", ""},
      {"for Commit drop", "[Prepare]"},
      {"for Prepare from 0 to 1 drop", ""},
      {"for Prepare from 2,0 drop", ""},
      {"for Prepare from 1,2 drop", "[Prepare]"},
      {"for Prepare to 0,2 drop", "[Prepare]"},
      {"for Prepare view 1 drop", ""},
      {"for Prepare view 2.. drop", "[Prepare]"},
      {"for Prepare sn 5..9 drop", ""},
      {"for Prepare sn 0..4 drop", "[Prepare]"},
      {"for Prepare epoch 2 sn 5 view 1 drop", ""},
      {"for Prepare epoch 2 sn 5 view 0 drop", "[Prepare]"},
      {"for any epoch 3 drop", "[Prepare]"},
      {"for Prepare delay 50ms", "[Prepare +50ms]"},
      {"for Prepare duplicate", "[Prepare] [Prepare]"},
      {"for Prepare delay 20ms\nfor any delay 30ms", "[Prepare +50ms]"},
      {"for Prepare delay 20ms\nfor any duplicate", "[Prepare +20ms] [Prepare +20ms]"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.line);
    CHECK(Play(one.line).send(prepare(1, 5, 2)) == one.on_prepare);
  }
  CHECK(Play("for any view 0.. drop").send(Message(Relayed())) == "[Relayed]");
}

TEST_CASE("of a frame with several messages, the others go on together") {
  Play play("for Commit sn 2 drop\nfor Prepare sn 3 delay 5ms\nfor NewView duplicate");
  CHECK(play.send(0, 1, {prepare(0, 1), commit(0, 2), prepare(0, 3), commit(0, 4), new_view(7)}) ==
        "[Prepare +5ms] [NewView] [NewView] [Prepare Commit]");
  CHECK(play.faults[sim::Fault::loss] == 1);
  CHECK(play.faults[sim::Fault::delay] == 1);
  CHECK(play.faults[sim::Fault::duplication] == 1);
  CHECK(play.send(0, 1, {commit(0, 2), commit(0, 2)}) == "");
}

TEST_CASE("rules begin and end at a time, at a message, or when they have met enough") {
  Play times("after 1s until 2s for Commit drop");
  CHECK(times.send(commit(0, 0), 999ms) == "[Commit]");
  CHECK(times.send(commit(0, 0), 1s) == "");
  CHECK(times.send(commit(0, 0), 1999ms) == "");
  CHECK(times.send(commit(0, 0), 2s) == "[Commit]");

  // The message that completes a moment still comes before it.
  Play after("after 2 NewView from 0 for any drop");
  CHECK(after.send(new_view(1)) == "[NewView]");
  CHECK(after.send(1, 0, {new_view(1)}) == "[NewView]");
  CHECK(after.send(commit(0, 0)) == "[Commit]");
  CHECK(after.send(new_view(2)) == "[NewView]");
  CHECK(after.send(commit(0, 0)) == "");
  Play until("until NewView for any drop");
  CHECK(until.send(commit(0, 0)) == "");
  CHECK(until.send(new_view(1)) == "");
  CHECK(until.send(commit(0, 0)) == "[Commit]");

  Play first("for Commit first 2 drop");
  CHECK(first.send(prepare(0, 0)) == "[Prepare]");
  CHECK(first.send(commit(0, 0)) == "");
  CHECK(first.send(commit(0, 1)) == "");
  CHECK(first.send(commit(0, 0)) == "[Commit]");
}

TEST_CASE("a strike waits for its messages, and comes once") {
  Play play("after 3 NewView from 1 crash 2 after 4 for 500ms");
  for (int i = 0; i < 2; ++i) play.send(1, 0, {new_view(1), commit(0, 0)});
  play.send(0, 1, {new_view(1)});
  CHECK(play.strikes.empty());
  CHECK(play.script().idle_triggers().size() == 1);
  for (int i = 0; i < 5; ++i) play.send(1, 3, {new_view(1)});
  REQUIRE(play.strikes.size() == 1);
  CHECK(play.strikes[0].kind == sim::Fault::crash);
  CHECK(play.strikes[0].nodes == std::vector{NodeId(2)});
  CHECK(play.strikes[0].amount == 4);
  CHECK(play.script().idle_triggers().empty());
}

TEST_CASE("rules that no message has met are known; frames of others are left alone") {
  Play play("for NewView drop\nfor Commit drop");
  CHECK(play.send(commit(0, 0)) == "");
  REQUIRE(play.script().idle_rules().size() == 1);
  CHECK(play.script().idle_rules()[0].match.type == "NewView");

  sim::Script<Message> script(play.script().idle_rules(), {});
  const Bytes noise(std::string("no message at all"));
  const auto passages = script.judge(
      {NodeId(0), NodeId(1), FrameClass::vote, noise}, 0s, [](const auto&) {}, [](auto) {});
  REQUIRE(passages.size() == 1);
  CHECK(passages[0].payload == noise);
}

}  // namespace mirbft::script_test
