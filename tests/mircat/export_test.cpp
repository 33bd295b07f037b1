#include <mirbft/mircat/export.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <mirbft/mircat/logs.hpp>
#include <mirbft/types/errors.hpp>

#include "two_nodes.hpp"

namespace mirbft::export_test {

using namespace mirbft::mircat;

namespace {

template <class Writer>
std::string exported() {
  const two_nodes::Cluster cluster;
  std::ostringstream out;
  Writer writer(out);
  Logs logs({cluster.zero.path(), cluster.one.path()});
  while (const auto found = logs.next()) writer.add(*found);
  writer.finish();
  return out.str();
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; ++at) ++found;
  return found;
}

Meaning message(Direction direction, std::uint64_t peer, std::uint64_t content) {
  Meaning meaning;
  meaning.direction = direction;
  meaning.peers = {peer};
  meaning.content = content;
  return meaning;
}

}  // namespace

TEST_CASE("A receipt knows what its sender knew, and nothing more") {
  CausalOrder order;
  const VectorClock first = order.add(0, message(Direction::sent, 1, 50));
  const VectorClock alone = order.add(1, Meaning{});
  const VectorClock later = order.add(0, Meaning{});
  const VectorClock receipt = order.add(1, message(Direction::received, 0, 50));
  CHECK(first.is_before(receipt));
  CHECK(alone.is_before(receipt));
  CHECK(first.is_before(later));
  CHECK_FALSE(later.is_before(receipt));
  CHECK_FALSE(receipt.is_before(later));
  CHECK(receipt.events() == std::map<std::uint64_t, std::uint64_t>{{0, 1}, {1, 2}});
}

TEST_CASE("ShiViz gets its expression, and each event with its node's clock") {
  const std::string text = exported<ShivizLog>();
  CHECK(text.starts_with("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n"));
  CHECK(text.find("PrePrepare received from node0 sn 5 (protocol #0)\n"
                  "node1 {\"node0\":2,\"node1\":1}\n") != std::string::npos);
  CHECK(text.find("Prepare received from node1 sn 5 (protocol #2)\n"
                  "node0 {\"node0\":3,\"node1\":2}\n") != std::string::npos);
  CHECK(count(text, "\nnode") == 12);
}

TEST_CASE("Perfetto gets a slice an event, a flow a message, and a span a slot and node") {
  const std::string text = exported<ChromeTrace>();
  CHECK(count(text, "\"ph\":\"X\"") == 12);
  CHECK(count(text, "\"ph\":\"s\"") == 3);
  CHECK(count(text, "\"ph\":\"f\"") == 2);
  CHECK(count(text, "\"name\":\"process_name\"") == 2);
  CHECK(count(text, "\"ph\":\"b\"") == count(text, "\"ph\":\"e\"") + 2);  // Node 1 is not through.
  CHECK(text.find("\"ts\":9.500,\"name\":\"prepared\",\"cat\":\"slot\",\"id\":\"1.5\"") !=
        std::string::npos);
}

TEST_CASE("Graphviz gets an edge for each step of a node and each message") {
  const std::string text = exported<DotGraph>();
  CHECK(text.starts_with("digraph events {\n"));
  CHECK(text.ends_with("}\n"));
  CHECK(count(text, "color=gray") == 10);
  CHECK(count(text, "color=blue") == 2);
}

TEST_CASE("One format must be chosen") {
  Export command;
  Options options;
  command.options(options);
  std::istringstream in;
  std::ostringstream out;
  Console console(in, out, out);
  CHECK_THROWS_WITH_AS(command.run(console),
                       "format = none or several: give one of --chrome, --shiviz, --dot and --json",
                       ConfigError);
}

}  // namespace mirbft::export_test
