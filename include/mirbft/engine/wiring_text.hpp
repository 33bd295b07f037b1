// The wiring of a Node, printed for people: plain text, Graphviz or Mermaid.
#ifndef MIRBFT_ENGINE_WIRING_TEXT_HPP
#define MIRBFT_ENGINE_WIRING_TEXT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/engine/wiring.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft {

/// How `Node::wiring` draws the plan.
enum class WiringFormat : std::uint8_t { text, graphviz, mermaid };

namespace engine {

/// One event type between two slots.
struct Wire {
  std::size_t from;
  std::size_t to;
  std::string_view event;
};

/// A Node's plan as data.
struct WiringPlan {
  std::array<std::string_view, slot_count> modules;
  std::vector<Wire> wires;
  /// Events that a module could handle but nobody emits: no error, since modules get swapped.
  std::vector<std::pair<std::size_t, std::string_view>> unfed;
};

template <class Plan, std::size_t From, class E>
void add_wires(WiringPlan& plan) {
  [&]<std::size_t... To>(std::index_sequence<To...>) {
    ((Plan::template routes<To, E> ? plan.wires.push_back({From, To, wire::type_name<E>})
                                   : void()),
     ...);
  }(std::make_index_sequence<slot_count>{});
}

template <class Plan, std::size_t From, class... Es>
void add_emissions(WiringPlan& plan, events<Es...>) {
  (add_wires<Plan, From, Es>(plan), ...);
}

template <class E>
struct AnswerTo {
  using type = events<>;
};
template <HasAnswer E>
struct AnswerTo<E> {
  using type = events<typename E::answer>;
};
template <class E>
using AnswersTo = typename AnswerTo<E>::type;

/// A task answers what it is asked, so its wires follow from what it receives.
template <class Plan, std::size_t S, class... Es>
void add_answers(WiringPlan& plan, events<Es...>) {
  (add_emissions<Plan, S>(plan, AnswersTo<Es>{}), ...);
}

template <class Plan, std::size_t S, class... Es>
void add_unfed(WiringPlan& plan, events<Es...>) {
  ((contains<Es, typename Plan::Events> ? void()
                                        : plan.unfed.push_back({S, wire::type_name<Es>})),
   ...);
}

template <class Plan>
WiringPlan wiring_plan() {
  WiringPlan plan{};
  [&]<std::size_t... S>(std::index_sequence<S...>) {
    plan.modules = {wire::type_name<typename Plan::template Module<S>>...};
    (add_emissions<Plan, S>(plan, typename Plan::template Emits<S>{}), ...);
    (add_answers<Plan, S>(plan, typename Plan::template Received<S>{}), ...);
    (add_unfed<Plan, S>(plan, consumes_of<typename Plan::template Module<S>>{}), ...);
  }(std::make_index_sequence<slot_count>{});
  return plan;
}

inline std::string as_text(const WiringPlan& plan) {
  std::string text;
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    text += std::string(slot_names[slot]) + ": " + std::string(plan.modules[slot]) + "\n";
    for (const Wire& wire : plan.wires)
      if (wire.from == slot)
        text += "  " + std::string(wire.event) + " -> " + slot_names[wire.to] + "\n";
    for (const auto& [owner, event] : plan.unfed)
      if (owner == slot) text += "  (nobody emits " + std::string(event) + ")\n";
  }
  return text;
}

inline std::string as_graph(const WiringPlan& plan, WiringFormat format) {
  const bool dot = format == WiringFormat::graphviz;
  std::string text = dot ? "digraph node {\n" : "flowchart LR\n";
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    const std::string name = slot_names[slot];
    const std::string label = name + ": " + std::string(plan.modules[slot]);
    text += "  " + name;
    text += dot ? "_ [shape=box, label=\"" + label + "\"];\n" : "_[\"" + label + "\"]\n";
  }
  for (const Wire& wire : plan.wires) {
    const std::string from = std::string(slot_names[wire.from]) + "_";
    const std::string to = std::string(slot_names[wire.to]) + "_";
    const std::string event(wire.event);
    text += dot ? "  " + from + " -> " + to + " [label=\"" + event + "\"];\n"
                : "  " + from + " -->|" + event + "| " + to + "\n";
  }
  for (const auto& [slot, event] : plan.unfed) {
    const std::string to = std::string(slot_names[slot]) + "_";
    text += dot ? "  nobody -> " + to + " [style=dashed, label=\"" + std::string(event) + "\"];\n"
                : "  nobody -.->|" + std::string(event) + "| " + to + "\n";
  }
  return text + (dot ? "}\n" : "");
}

template <class Plan>
std::string wiring_text(WiringFormat format) {
  const WiringPlan plan = wiring_plan<Plan>();
  return format == WiringFormat::text ? as_text(plan) : as_graph(plan, format);
}

}  // namespace engine
}  // namespace mirbft

#endif
