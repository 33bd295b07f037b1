// Writes a scenario as a file that people read and change, and that is read back as the same.
#ifndef MIRBFT_SIM_SCENARIO_TEXT_HPP
#define MIRBFT_SIM_SCENARIO_TEXT_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/rule.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/scenario_words.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/sim/time_text.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/reflection.hpp>

namespace mirbft::sim {

namespace detail {

template <class T>
std::string value_text(T value) {
  if constexpr (std::is_same_v<T, Time>) {
    return time_text(value);
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(value_names<T>[static_cast<std::size_t>(value)]);
  } else {
    return std::to_string(value);
  }
}

/// " name value" for each member that is not as it would be anyway.
template <class T>
std::string members_text(const T& object) {
  const T usual{};
  std::string text;
  std::vector<std::string> values;
  wire::for_each_member(usual, [&](auto, auto value) { values.push_back(value_text(value)); });
  wire::for_each_member(object, [&](auto number, auto value) {
    const std::size_t place = number() - 1;
    if (const std::string own = value_text(value); own != values[place])
      text.append(" ").append(wire::member_names<T>[place]).append(" ").append(own);
  });
  return text;
}

inline std::string list_text(const std::vector<NodeId>& nodes) {
  std::string text;
  for (const NodeId node : nodes) (text += text.empty() ? "" : ",") += std::to_string(node.value);
  return text;
}

inline std::string whom_text(const Strike& strike, Whom whom) {
  const std::string nodes = list_text(strike.nodes);
  switch (whom) {
    case Whom::link: return nodes + " to " + list_text(strike.others);
    case Whom::groups: return nodes + " | " + list_text(strike.others);
    case Whom::node: break;
  }
  return nodes;
}

/// All but its time.
inline std::string strike_text(const Strike& strike) {
  const StrikeShape& shape = *shape_of(strike.kind);
  std::string text = std::string(to_string(strike.kind)) + ' ' + whom_text(strike, shape.whom);
  if (shape.names) {
    text.append(" ").append(shape.amount).append(" ").append(shape.names[strike.amount]);
  } else if (strike.amount != 0) {
    text.append(" ").append(shape.amount).append(" ").append(std::to_string(strike.amount));
  }
  if (strike.lasts != Time{}) text.append(" ").append(shape.span) += ' ' + time_text(strike.lasts);
  return text;
}

inline std::string span_text(const char* name, const std::optional<Span>& span) {
  if (!span) return "";
  std::string text = ' ' + std::string(name) + ' ' + std::to_string(span->first);
  if (span->last == span->first) return text;
  text += "..";
  return span->last == Span{}.last ? text : text + std::to_string(span->last);
}

inline std::string match_text(const Match& match) {
  std::string text = match.type.empty() ? std::string(any_type) : match.type;
  if (!match.from.empty()) text += " from " + list_text(match.from);
  if (!match.to.empty()) text += " to " + list_text(match.to);
  return text + span_text("epoch", match.epoch) + span_text("view", match.view) +
         span_text("sn", match.sn);
}

inline std::string moment_text(const Moment& moment) {
  if (moment.messages == 0) return time_text(moment.time);
  const std::string count = moment.messages == 1 ? "" : std::to_string(moment.messages) + ' ';
  return count + match_text(moment.match);
}

/// Equal ones in one line.
inline std::string clients_text(const std::vector<ClientLoad>& clients) {
  std::string text;
  for (std::size_t i = 0; i < clients.size();) {
    std::size_t end = i;
    while (end < clients.size() && clients[end] == clients[i]) ++end;
    text += "clients " + std::to_string(end - i) + members_text(clients[i]) + '\n';
    i = end;
  }
  return text;
}

}  // namespace detail

/// The line of a file that says the rule.
inline std::string rule_text(const Rule& rule) {
  std::string text;
  if (rule.after) text += "after " + detail::moment_text(*rule.after) + ' ';
  if (rule.until) text += "until " + detail::moment_text(*rule.until) + ' ';
  text += "for " + detail::match_text(rule.match);
  if (rule.first != 0) text += " first " + std::to_string(rule.first);
  text += ' ' + detail::value_text(rule.what);
  return rule.what == Meddling::delay ? text + ' ' + time_text(rule.late) : text;
}

inline std::string trigger_text(const Trigger& trigger) {
  return "after " + detail::moment_text(trigger.after) + ' ' + detail::strike_text(trigger.strike);
}

/// The lines of a file that `parse_scenario` reads as an equal scenario.
inline std::string scenario_text(const Scenario& scenario) {
  const Schedule& faults = scenario.faults;
  std::string text = "seed " + std::to_string(scenario.seed) + "\nnodes " +
                     std::to_string(scenario.nodes) + '\n' + detail::clients_text(scenario.clients);
  const auto members = [&](const char* word, const auto& object) {
    if (const std::string said = detail::members_text(object); !said.empty())
      text.append(word).append(said) += '\n';
  };
  members("links", faults.links);
  members("pace", faults.pace);
  members("disks", faults.disks);
  for (const Role& role : scenario.adversaries.replicas)
    text += "adversary " + std::to_string(role.node.value) + ' ' + to_string(role.kinds) + '\n';
  if (!scenario.adversaries.clients.none())
    text += "adversary clients " + to_string(scenario.adversaries.clients) + '\n';
  for (const Strike& strike : faults.strikes)
    text += "at " + time_text(strike.at) + ' ' + detail::strike_text(strike) + '\n';
  for (const Rule& rule : scenario.rules) text += rule_text(rule) + '\n';
  for (const Trigger& trigger : scenario.triggers) text += trigger_text(trigger) + '\n';
  text += "heal " + time_text(faults.heal);
  if (!faults.lost.empty()) text += " without " + detail::list_text(faults.lost);
  return text + "\nsettle " + time_text(scenario.settle) + '\n';
}

}  // namespace mirbft::sim

#endif
