// Scenario files: what is written is read back, and what is wrong is said in one line.
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/scenario_parser.hpp>
#include <mirbft/sim/scenario_text.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::scenario_test {
namespace {

using namespace std::chrono_literals;
using sim::Fault;

sim::Scenario parse(const std::string& text) {
  return sim::parse_scenario(text, "x.scenario", sim::vocabulary<IssMessage<PbftMessage>>());
}

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// A file, and what is said of it.
struct Wrong {
  const char* text;
  const char* error;
};

constexpr Wrong all_wrong[] = {
    {"\nseed x", "2 = \"x\": must be a number from 0 to 18446744073709551615; correct it"},
    {"seed -1", "1 = \"-1\": must be a number from 0 to 18446744073709551615; correct it"},
    {"seed", "1 = (end of line): must be a number from 0 to 18446744073709551615; correct it"},
    {"seed 7 8", "1 = \"8\": is more than belongs here; remove it"},
    {"seed 7\nseed 8", "2 = \"seed\": has been said before; keep one of the two lines"},
    {"nodes 65", "1 = \"65\": must be a number from 1 to 64; correct it"},
    {"at 1s pause 0\nnodes 4",
     "2 = \"nodes\": must come before the lines that name a node; move it"},
    {"clients 0", "1 = \"0\": must be a number from 1 to 1000; correct it"},
    {"clients 1 request 5", "1 = \"request\": is nothing to say here: use one of requests, open, "
                            "target, retry_after, rest"},
    {"clients 1 target none", "1 = \"none\": is not known here: use one of one, some, all"},
    {"clients 1 open 0", "1 = \"open 0\": must be at least 1, or nothing is ever asked for"},
    {"clients 1 retry_after 0s",
     "1 = \"retry_after 0s\": must be more, or nothing else is ever done"},
    {"links longest 1us", "1 = \"longest 1us\": must not be below shortest, 50us; say both"},
    {"links loss 4294967296", "1 = \"4294967296\": must be a number from 0 to 4294967295; "
                              "correct it"},
    {"links loss 1001", "1 = \"loss 1001\": must be at most 1000; say less"},
    {"links delay 1001", "1 = \"delay 1001\": must be at most 1000; say less"},
    {"pace shuffled_slots 1001",
     "1 = \"shuffled_slots 1001\": must be at most 1000; say less"},
    {"clients 1 requests 1000001", "1 = \"requests 1000001\": must be at most 1000000; say less"},
    {"clients 1 open 100001", "1 = \"open 100001\": must be at most 100000; say less"},
    {"disks tail cut", "1 = \"cut\": is not known here: use one of kept, drawn, lost"},
    {"adversary 4 all", "1 = \"4\": must be a number from 0 to 3; correct it"},
    {"adversary 3 evil",
     "1 = \"evil\": names no ways of such a one to be faulty: mirbft-sim --adversary list"},
    {"at soon pause 1", "1 = \"soon\": must be a time; say it as 250ms, 1.5s or 80us"},
    {"at 5 pause 1", "1 = \"5\": must be a time; say it as 250ms, 1.5s or 80us"},
    {"at 1s crash 4", "1 = \"4\": must be a number from 0 to 3; correct it"},
    {"at 1s crash", "1 = (end of line): must be a number from 0 to 3; correct it"},
    {"at 1s crash 1 for ever", "1 = \"ever\": must be a time; say it as 250ms, 1.5s or 80us"},
    {"at 1s crash 1 until 2s", "1 = \"until\": is more than belongs here; remove it"},
    {"at 1s clog 1 2", "1 = \"2\": must be `to`; put that before it"},
    {"at 1s symmetric_partition 0,1", "1 = (end of line): must be `|`; put that before it"},
    {"at 1s symmetric_partition 0, | 1", "1 = \"0,\": must be a number from 0 to 3; correct it"},
    {"at 1s clock_jump 1", "1 = (end of line): must be `by`; put that before it"},
    {"at 1s clock_skew 1 ppm 1000000",
     "1 = \"1000000\": must be a number from -100000 to 100000; correct it"},
    {"at 1s slow_module 1 module cpu",
     "1 = \"cpu\": is not known here: use one of tracker, hasher, crypto, store, protocol, wal, "
     "app, net, node"},
    {"heal 2s\nat 2s pause 1\nat 1s pause 1",
     "2 = \"at 2s\": is not before the healing, at 2s; strike earlier, or heal later"},
    {"heal 2s with 1", "1 = \"with\": is more than belongs here; remove it"},
    {"for Done view 1 drop", "1 = \"view\": is nothing that Done has; remove it"},
    {"for Done sn drop", "1 = \"sn\": is nothing that Done has; remove it"},
    {"for any sn 5..4 drop",
     "1 = \"5..4\": must be a number from 5 to 18446744073709551615; correct it"},
    {"for Commit lose", "1 = \"lose\": is not known here: use one of drop, delay, duplicate"},
    {"for Commit delay", "1 = (end of line): must be a time; say it as 250ms, 1.5s or 80us"},
    {"for Commit first 0 drop",
     "1 = \"0\": must be a number from 1 to 18446744073709551615; correct it"},
    {"until 1s drop", "1 = \"drop\": must be `for` and the messages that the line is about"},
    {"after 1s crash 1",
     "1 = \"crash\": must be `for` and messages; a strike at a time begins with `at`"},
    {"after 2 Commit until 3s crash 1",
     "1 = \"crash\": must be `for` and the messages that the line is about"},
};

constexpr Wrong begun_wrong[] = {
    {"see 7", "1 = \"see\": begins no line: use one of seed, nodes, clients, links, "},
    {"at 1s loss 1",
     "1 = \"loss\": is no fault that strikes at a moment: use one of clog, symmetric_partition, "},
    {"for Comit drop",
     "1 = \"Comit\": is no message; say any for all of them, or one: use one of PrePrepare, "
     "Prepare, Commit, ViewChange, NewView, Done, CheckpointVote, "},
};

}  // namespace

TEST_CASE("a word that does not end is shown as far as it helps") {
  const std::string error = error_of("seed " + std::string(1 << 20, 'x'));
  CHECK(error.size() < 200);
  CHECK(error.find(std::string(60, 'x') + "…") != std::string::npos);
}

TEST_CASE("what a seed draws is read back as it was written") {
  for (const std::uint64_t nodes : {1u, 2u, 3u, 4u, 7u})
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      sim::TrialConfig config{.nodes = nodes, .faults = sim::FaultKinds::all()};
      if (nodes > 3) config.adversaries = sim::AdversaryKinds::all();
      const sim::Scenario drawn = sim::draw_scenario(seed, config);
      const std::string text = scenario_text(drawn);
      CAPTURE(text);
      REQUIRE(parse(text) == drawn);
    }
}

TEST_CASE("a file of every kind of line is read, and written as it was") {
  const std::string text =
      "seed 7\n"
      "nodes 4\n"
      "clients 2 requests 5 open 1 target some retry_after 1.5s rest 0s\n"
      "clients 1\n"
      "links shortest 80us longest 2ms loss 20 longest_delay 1s\n"
      "pace shuffled_slots 1000 reaction 3ms\n"
      "disks tail lost\n"
      "adversary 3 silent_leader,double_vote\n"
      "at 100ms crash 2 after 7 for 500ms\n"
      "at 200ms symmetric_partition 0,1 | 2,3 for 1s\n"
      "at 300ms clog 0 to 3 for 300.5ms\n"
      "at 400ms slow_module 1 module protocol for 20us\n"
      "at 500ms clock_skew 3 ppm -300\n"
      "at 600ms clock_jump 3 by 2s\n"
      "at 700ms wipe 1\n"
      "for Commit from 2 to 0,1 drop\n"
      "after 1s until 2s for Prepare to 3 view 1.. delay 50ms\n"
      "until 2 NewView from 1 for any from 0 drop\n"
      "after ViewChange epoch 2 for NewView view 0..4 first 3 duplicate\n"
      "for PrePrepare sn 9 drop\n"
      "after 3 NewView from 1 crash 1 for 500ms\n"
      "heal 4.25s without 1\n"
      "settle 60s\n";
  const sim::Scenario scenario = parse(text);
  CHECK(scenario_text(scenario) == text);
  CHECK(scenario.clients.size() == 3);
  CHECK(scenario.clients[0].target == sim::Target::some);
  CHECK(scenario.clients[2] == sim::ClientLoad{});
  CHECK(scenario.faults.links.loss == 20);
  CHECK(scenario.faults.disks.tail == sim::Tail::lost);
  REQUIRE(scenario.faults.strikes.size() == 7);
  CHECK(scenario.faults.strikes[0] == sim::Strike{.at = 100ms,
                                                  .kind = Fault::crash,
                                                  .nodes = {NodeId(2)},
                                                  .amount = 7,
                                                  .lasts = 500ms});
  CHECK(scenario.faults.strikes[2].lasts == 300'500us);
  REQUIRE(scenario.rules.size() == 5);
  CHECK(scenario.rules[0].match.to == std::vector{NodeId(0), NodeId(1)});
  CHECK(scenario.rules[1].match.view->first == 1);
  CHECK(scenario.rules[1].late == 50ms);
  CHECK(scenario.rules[2].until->messages == 2);
  CHECK(scenario.rules[2].match.type.empty());
  CHECK(scenario.rules[3].first == 3);
  REQUIRE(scenario.triggers.size() == 1);
  CHECK(scenario.triggers[0].after.match.type == "NewView");
  CHECK(scenario.faults.lost == std::vector{NodeId(1)});
}

TEST_CASE("order, comments and blanks do not matter; what is not said is as usual") {
  const sim::Scenario scenario = parse(
      "# All of it.\n\n  at 2s  pause\t1 for 9s   # later\r\nat 1s pause 0\nseed 3");
  CHECK(scenario.seed == 3);
  CHECK(scenario.nodes == 4);
  CHECK(scenario.clients.size() == 1);
  CHECK(scenario.faults.strikes[0].at == 1s);
  CHECK(scenario.faults.heal == 12s);
  CHECK(scenario.settle == 120s);
  CHECK(parse("").faults.heal == 5s);
}

TEST_CASE("what is wrong is said in one line: where, the word, the rule and the mend") {
  for (const Wrong& wrong : all_wrong) {
    CAPTURE(wrong.text);
    CHECK(error_of(wrong.text) == std::string("x.scenario:") + wrong.error);
  }
  // These go on with what there is to choose from.
  for (const Wrong& wrong : begun_wrong) {
    CAPTURE(wrong.text);
    const std::string error = error_of(wrong.text);
    CHECK(error.starts_with(std::string("x.scenario:") + wrong.error));
    CHECK(error.find('\n') == std::string::npos);
  }
}

}  // namespace mirbft::scenario_test
