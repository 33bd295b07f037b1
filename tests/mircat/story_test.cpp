#include <mirbft/mircat/story.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/report_data.hpp>

#include "two_nodes.hpp"

namespace hostile {

/// By its name the library's, but with as many times as it likes.
struct Tick {
  static constexpr auto destination = mirbft::slot::protocol;
  static constexpr std::uint32_t number = 1001;

  std::vector<std::int64_t> now;
};

struct List {
  Tick tick;

  template <class Look>
  void for_each(Look&& look) const {
    look(tick);
  }
};

}  // namespace hostile

BOOST_HANA_ADAPT_STRUCT(hostile::Tick, now);

using namespace mirbft;
using namespace mirbft::mircat;

namespace {

Story story_of(const std::vector<std::string>& paths, std::size_t limit = 1000,
               Keep keep = Keep::last) {
  Story story(limit, keep);
  Logs logs(paths);
  for (const auto& log : logs.all()) story.add_node(log->reader.node().value, log->reader.path());
  while (const auto found = logs.next()) story.add(*found, [](const Found&) { return true; });
  story.finish();
  return story;
}

bool any_says(const std::vector<Finding>& findings, const std::string& text) {
  for (const Finding& finding : findings)
    if (finding.text.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("Messages are matched across logs, and what has no receipt is lost") {
  const two_nodes::Cluster cluster;
  const Story story = story_of({cluster.zero.path(), cluster.one.path()});
  REQUIRE(story.events().size() == 12);
  REQUIRE(story.arrows().size() == 2);
  CHECK(story.events()[story.arrows()[0].from].second.message == "PrePrepare");
  CHECK(story.events()[story.arrows()[0].to].second.node == 1);
  CHECK(story.events()[story.arrows()[1].from].second.message == "Prepare");
  REQUIRE(story.lost().size() == 1);
  CHECK(story.events()[story.lost()[0].from].second.message == "Commit");
  CHECK(story.lost()[0].to == 1);
}

TEST_CASE("The phases of a slot are known for each node, and what it waits for") {
  const two_nodes::Cluster cluster;
  const Story story = story_of({cluster.zero.path(), cluster.one.path()});
  const SlotTable& slots = story.slots();
  REQUIRE(slots.find(5, 0));
  CHECK(slots.find(5, 0)->phase() == Phase::delivered);
  CHECK(slots.find(5, 0)->at(Phase::prepared)->time == 8000);
  REQUIRE(slots.find(5, 1));
  CHECK(slots.find(5, 1)->phase() == Phase::prepared);
  CHECK(slots.waits_for(5, 0).empty());
  CHECK(slots.waits_for(5, 1) == "Commits: 0 of 2; none from 0, 1");
  CHECK(slots.waits_for(6, 1) == "its proposal");
}

TEST_CASE("Findings name the slot that a node never committed, and what was lost") {
  const two_nodes::Cluster cluster;
  const auto findings = story_of({cluster.zero.path(), cluster.one.path()}).findings();
  REQUIRE_FALSE(findings.empty());
  CHECK(findings.front().severity == Severity::stuck);
  CHECK(findings.front().text.starts_with("sn 5: node 1 never committed, as 0 did"));
  CHECK(findings.front().sn == 5);
  CHECK(any_says(findings, "1 of 3 messages between the nodes never arrived"));
}

TEST_CASE("Nodes that deliver different batches are the first finding") {
  two_nodes::Cluster cluster;
  cluster.one.add(14000, slot::store, two_nodes::delivered(5, 2));
  const auto findings = story_of({cluster.zero.path(), cluster.one.path()}).findings();
  REQUIRE_FALSE(findings.empty());
  CHECK(findings.front().severity == Severity::broken);
  CHECK(findings.front().text == "sn 5: nodes 0 and 1 delivered different batches");
}

TEST_CASE("Different batches are found however far behind a node delivers its own") {
  two_nodes::Log zero(0), one(1);
  const std::uint64_t many = 3 * SlotTable::kept;
  for (std::uint64_t sn = 0; sn < many; ++sn)
    zero.add(1 + sn, slot::store, two_nodes::delivered(sn));
  one.add(2 + many, slot::store, two_nodes::delivered(3, 2));
  const auto findings = story_of({zero.path(), one.path()}).findings();
  CHECK(any_says(findings, "sn 3: nodes 0 and 1 delivered different batches"));
}

TEST_CASE("A Tick of another shape tells no time") {
  const sample::TemporaryFile file;
  {
    LogWriter log(file.path());
    log.begin(NodeId(0), bytes_of("sample"), mirbft::events<hostile::Tick>{});
    log.append(slot::protocol, hostile::List{{{7, 8}}}, 0);
  }
  const Story story = story_of({file.path()});
  REQUIRE(story.events().size() == 1);
  CHECK(story.events().front().second.time == 0);
}

TEST_CASE("A halted and a silent node are found") {
  two_nodes::Cluster cluster;
  cluster.one.add(14000, slot::node, Halt{"the disk is full"});
  cluster.zero.add(5'000'000'000, slot::tracker, Init{});
  const auto findings = story_of({cluster.zero.path(), cluster.one.path()}).findings();
  CHECK(any_says(findings, "node 1 halted: reason: \"the disk is full\""));
  CHECK(any_says(findings, "node 1 is silent for the last 5.000 s"));
  CHECK(any_says(findings, "no node delivers anything in the last 5.000 s"));
  CHECK_FALSE(any_says(findings, "restarted"));
}

TEST_CASE("Latencies go from a request's receipt over the phases to its application") {
  const two_nodes::Cluster cluster;
  const Story story = story_of({cluster.zero.path(), cluster.one.path()});
  const Latencies& latencies = story.latencies();
  CHECK(latencies[Leg::whole].total() == 1);
  CHECK(latencies[Leg::whole].quantile(0.5) == doctest::Approx(11000).epsilon(0.05));
  CHECK(latencies[Leg::request_to_proposal].quantile(1) == doctest::Approx(1000).epsilon(0.05));
  CHECK(latencies[Leg::to_prepared].total() == 2);
  CHECK(latencies[Leg::to_delivered].total() == 1);
  CHECK(latencies.open() == 0);
}

TEST_CASE("Of too many events the last or the first are drawn, but slots are of all") {
  const two_nodes::Cluster cluster;
  const std::vector<std::string> paths{cluster.zero.path(), cluster.one.path()};
  const Story last = story_of(paths, 3);
  CHECK(last.events().size() == 3);
  CHECK(last.wanted() == 12);
  CHECK(last.events().front().first == 9);
  CHECK(last.arrows().empty());
  CHECK(last.slots().find(5, 0)->phase() == Phase::delivered);
  const Story first = story_of(paths, 3, Keep::first);
  CHECK(first.events().back().first == 2);
  CHECK(first.arrows().size() == 1);
}

TEST_CASE("An event of a user's own is a plain mark, with its fields") {
  const two_nodes::Cluster cluster;
  const Story story = story_of({cluster.one.path()});
  const StoryEvent& event = story.events().back().second;
  CHECK(event.type == "Measured");
  CHECK(event.direction == Direction::local);
  CHECK_FALSE(event.sn.has_value());
  CHECK(event.fields == R"({"degrees":21,"place":"attic"})");
}

TEST_CASE("No text of an event ends the element that it stands in") {
  const two_nodes::Cluster cluster;
  const Story story = story_of({cluster.zero.path()});
  ReportData data(story);
  std::ostringstream out;
  data.write(out, story.findings());
  data.write_lines(out);
  CHECK(out.str().find("</") == std::string::npos);
  CHECK(out.str().find("\\u003c/script>") != std::string::npos);
}

TEST_CASE("A JSON text is escaped where it must be") {
  std::string out;
  put_json(out, std::string_view("a\"b\\c\n<\x7f\0z", 10));
  CHECK(out == R"("a\"b\\c\u000a\u003c\u007f\u0000z")");
}
