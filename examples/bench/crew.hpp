// The processes of a benchmark's nodes: started, asked, and ended.
#ifndef MIRBFT_EXAMPLES_BENCH_CREW_HPP
#define MIRBFT_EXAMPLES_BENCH_CREW_HPP

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/wire/config_file.hpp>

#include "../shared/process.hpp"
#include "../shared/signals.hpp"
#include "measuring.hpp"
#include "order_app.hpp"

namespace bench {

/// Nodes that answer each line with the order of what they have applied. Whoever is left when this
/// goes is killed.
class Crew {
 public:
  explicit Crew(const programs::Signals& signals) : signals_(signals) {}

  /// Starts one more node and waits until it listens.
  void start(const std::vector<std::string>& command) {
    nodes_.push_back({programs::Process(command), {}, false});
    await_answers();
  }

  /// Waits. Throws if a signal comes or a node ends.
  void watch(Time until) {
    while (std::chrono::steady_clock::now() < until) listen(until);
  }

  /// Whether all nodes have applied the same requests in the same order, so many at least.
  bool agrees(std::uint64_t requests) {
    for (Node& node : nodes_) {
      node.answered = false;
      node.process.write_line();
    }
    await_answers();
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
      return node.said == nodes_.front().said && node.said.applied >= requests;
    });
  }

  /// What each has used of the processors so far, in seconds.
  std::vector<double> cpu() const {
    std::vector<double> all;
    for (const Node& node : nodes_) all.push_back(cpu_seconds(node.process.id()));
    return all;
  }

  /// Ends all nodes. Throws unless all have ended well.
  void end() {
    for (Node& node : nodes_) node.process.close_input();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      while (nodes_[i].process.read()) continue;
      const std::string how = nodes_[i].process.wait();
      if (!how.empty()) throw std::runtime_error(name(i) + ' ' + how);
    }
  }

 private:
  static constexpr std::chrono::seconds patience{30};

  struct Node {
    programs::Process process;
    Order said;
    bool answered = false;
  };

  static std::string name(std::size_t node) { return "node " + std::to_string(node); }

  void await_answers() {
    const Time deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const auto silent = std::find_if(nodes_.begin(), nodes_.end(),
                                       [](const Node& node) { return !node.answered; });
      if (silent == nodes_.end()) return;
      if (std::chrono::steady_clock::now() > deadline)
        throw std::runtime_error(name(static_cast<std::size_t>(silent - nodes_.begin())) +
                                 " has said nothing for " + std::to_string(patience.count()) +
                                 " s");
      listen(deadline);
    }
  }

  void listen(Time until) {
    std::vector<pollfd> waits{{signals_.handle(), POLLIN, 0}};
    for (const Node& node : nodes_) waits.push_back({node.process.output(), POLLIN, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    ::poll(waits.data(), waits.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (waits[0].revents != 0) throw std::runtime_error("interrupted");
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (waits[i + 1].revents != 0) hear(i);
  }
  void hear(std::size_t i) {
    Node& node = nodes_[i];
    if (!node.process.read()) {
      const std::string how = node.process.wait();
      throw std::runtime_error(name(i) + ' ' + (how.empty() ? "ended before its time" : how));
    }
    while (const auto line = node.process.next_line()) {
      node.said = mirbft::wire::parse_config<Order>(*line, name(i));
      node.answered = true;
    }
  }

  const programs::Signals& signals_;
  std::vector<Node> nodes_;
};

}  // namespace bench

#endif
