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

#include <mirbft/engine/module_description.hpp>
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

/// Why a module never gets an event that it could handle. Neither is an error, since modules get
/// swapped.
enum class Unfed : std::uint8_t { nobody_emits_it, it_goes_elsewhere };

/// An event that a module waits for in vain.
struct LooseEnd {
  std::size_t slot;
  std::string_view event;
  Unfed why;
};

/// A Node's plan as data.
struct WiringPlan {
  std::array<std::string_view, slot_count> modules;
  std::vector<Wire> wires;
  std::vector<LooseEnd> loose_ends;
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

template <class Plan, std::size_t S, class E>
void add_loose_end(WiringPlan& plan) {
  if constexpr (!contains<E, typename Plan::Events>) {
    plan.loose_ends.push_back({S, wire::type_name<E>, Unfed::nobody_emits_it});
  } else if constexpr (!Plan::template routes<S, E>) {
    plan.loose_ends.push_back({S, wire::type_name<E>, Unfed::it_goes_elsewhere});
  }
}
template <class Plan, std::size_t S, class... Es>
void add_loose_ends(WiringPlan& plan, events<Es...>) {
  (add_loose_end<Plan, S, Es>(plan), ...);
}

template <class Plan>
WiringPlan wiring_plan() {
  WiringPlan plan{};
  [&]<std::size_t... S>(std::index_sequence<S...>) {
    plan.modules = {module_name<typename Plan::template Module<S>>()...};
    (add_emissions<Plan, S>(plan, typename Plan::template Emits<S>{}), ...);
    (add_answers<Plan, S>(plan, typename Plan::template Received<S>{}), ...);
    (add_loose_ends<Plan, S>(plan, consumes_of<typename Plan::template Module<S>>{}), ...);
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
    for (const LooseEnd& end : plan.loose_ends)
      if (end.slot == slot)
        text += end.why == Unfed::nobody_emits_it
                    ? "  (nobody emits " + std::string(end.event) + ")\n"
                    : "  (" + std::string(end.event) + " never comes here)\n";
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
  for (const LooseEnd& end : plan.loose_ends) {
    const std::string to = std::string(slot_names[end.slot]) + "_";
    const std::string event(end.event);
    text += dot ? "  nobody -> " + to + " [style=dashed, label=\"" + event + "\"];\n"
                : "  nobody -.->|" + event + "| " + to + "\n";
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
