// Events and what caused them, as a graph for Graphviz: of a small part of a log.
#ifndef MIRBFT_MIRCAT_EXPORT_DOT_HPP
#define MIRBFT_MIRCAT_EXPORT_DOT_HPP

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/matching.hpp>
#include <mirbft/mircat/meaning.hpp>

namespace mirbft::mircat {

/// An event points to the next of its node, and what was sent points to its receipts.
class DotGraph {
 public:
  explicit DotGraph(std::ostream& out) : out_(out) {
    out_ << "digraph events {\n  rankdir=LR;\n"
            "  node [shape=box style=\"rounded,filled\" fillcolor=white fontname=Helvetica "
            "fontsize=10];\n  edge [fontname=Helvetica fontsize=9];\n";
  }

  void add(const Found& found) {
    const Meaning meaning =
        meaning_of(found.printer->parse(found.event), found.event.payload.view());
    const std::uint64_t node = found.node.value;
    const std::uint64_t event = ++events_;
    out_ << "  e" << event << " [group=n" << node << " label=\"node " << node << " #"
         << found.event.index << "\\n" << meaning.name();
    if (meaning.direction == Direction::sent) out_ << " sent";
    if (meaning.direction == Direction::received) out_ << " received";
    if (meaning.sn) out_ << "\\nsn " << *meaning.sn;
    out_ << "\" fillcolor=" << colour_of(meaning) << "];\n";
    if (const auto before = last_.find(node); before != last_.end())
      edge(before->second, event, "color=gray");
    last_[node] = event;
    add_messages(node, event, meaning);
  }

  void finish() { out_ << "}\n"; }

 private:
  static std::string_view colour_of(const Meaning& meaning) {
    if (meaning.reached == Phase::delivered) return "palegreen";
    if (meaning.direction == Direction::sent) return "lightblue";
    return meaning.direction == Direction::received ? "lightyellow" : "white";
  }

  void edge(std::uint64_t from, std::uint64_t to, std::string_view attributes) {
    out_ << "  e" << from << " -> e" << to << " [" << attributes << "];\n";
  }

  void add_messages(std::uint64_t node, std::uint64_t event, const Meaning& meaning) {
    if (meaning.direction == Direction::sent) {
      for (const std::uint64_t peer : meaning.peers)
        if (const auto receipt = matcher_.sent({node, peer, meaning.content}, event))
          edge(event, *receipt, "color=blue constraint=false");
    } else if (meaning.direction == Direction::received && meaning.peers.front() != node) {
      if (const auto sending =
              matcher_.received({meaning.peers.front(), node, meaning.content}, event))
        edge(*sending, event, "color=blue");
    }
  }

  std::ostream& out_;
  MessageMatcher<std::uint64_t> matcher_;
  std::map<std::uint64_t, std::uint64_t> last_;
  std::uint64_t events_ = 0;
};

}  // namespace mirbft::mircat

#endif
