// Reads scenario files: scenario_words.hpp says what they look like.
#ifndef MIRBFT_SIM_SCENARIO_PARSER_HPP
#define MIRBFT_SIM_SCENARIO_PARSER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/message_facts.hpp>
#include <mirbft/sim/rule.hpp>
#include <mirbft/sim/scenario.hpp>
#include <mirbft/sim/scenario_line.hpp>
#include <mirbft/sim/scenario_words.hpp>
#include <mirbft/sim/schedule.hpp>
#include <mirbft/sim/time_text.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// Reads one file. Throws ConfigError that names file and line, the word, the rule and the mend.
class ScenarioParser {
 public:
  /// `source` is what the file is called in errors; `vocabulary` names the messages that there are.
  ScenarioParser(std::string source, Vocabulary vocabulary)
      : source_(std::move(source)), vocabulary_(std::move(vocabulary)) {}

  Scenario parse(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      ScenarioLine words(source_ + ':' + std::to_string(number), line);
      if (!words.done()) read(words);
    }
    finish();
    return std::move(scenario_);
  }

 private:
  struct Keyword {
    std::string_view name;
    void (ScenarioParser::*read)(ScenarioLine&);
    bool once;
  };

  void read(ScenarioLine& line) {
    static constexpr Keyword keywords[] = {
        {"seed", &ScenarioParser::read_seed, true},
        {"nodes", &ScenarioParser::read_nodes, true},
        {"clients", &ScenarioParser::read_clients, false},
        {"links", &ScenarioParser::read_links, true},
        {"pace", &ScenarioParser::read_pace, true},
        {"disks", &ScenarioParser::read_disks, true},
        {"adversary", &ScenarioParser::read_adversary, false},
        {"at", &ScenarioParser::read_strike_at, false},
        {"for", &ScenarioParser::read_rule, false},
        {"after", &ScenarioParser::read_rule, false},
        {"until", &ScenarioParser::read_rule, false},
        {"heal", &ScenarioParser::read_heal, true},
        {"settle", &ScenarioParser::read_settle, true}};
    const Keyword& keyword = line.one_of(keywords, &Keyword::name, "begins no line");
    if (keyword.once && !seen_.insert(keyword.name).second)
      line.refuse(keyword.name, "has been said before; keep one of the two lines");
    if (keyword.read != &ScenarioParser::read_rule) line.take();
    (this->*keyword.read)(line);
    if (!line.done()) line.refuse(line.peek(), "is more than belongs here; remove it");
  }

  void read_seed(ScenarioLine& line) { scenario_.seed = line.number(0, ~std::uint64_t{0}); }
  void read_nodes(ScenarioLine& line) {
    if (names_nodes_) line.refuse("nodes", "must come before the lines that name a node; move it");
    scenario_.nodes = line.number(1, 64);
  }
  void read_clients(ScenarioLine& line) {
    const std::uint64_t count = line.number(1, 1000);
    ClientLoad load;
    line.members(load);
    within(line, "requests", load.requests, 1'000'000);
    within(line, "open", load.open, 100'000);
    if (load.open == 0) line.refuse("open 0", "must be at least 1, or nothing is ever asked for");
    if (load.retry_after == Time{})
      line.refuse("retry_after 0s", "must be more, or nothing else is ever done");
    scenario_.clients.insert(scenario_.clients.end(), count, load);
  }
  void read_links(ScenarioLine& line) {
    LinkRates& links = scenario_.faults.links;
    line.members(links);
    within(line, "loss", links.loss, 1000);
    within(line, "duplication", links.duplication, 1000);
    within(line, "reordering", links.reordering, 1000);
    within(line, "delay", links.delay, 1000);
    if (links.longest < links.shortest)
      line.refuse("longest " + time_text(links.longest),
                  "must not be below shortest, " + time_text(links.shortest) + "; say both");
  }
  void read_pace(ScenarioLine& line) {
    line.members(scenario_.faults.pace);
    within(line, "shuffled_slots", scenario_.faults.pace.shuffled_slots, 1000);
  }
  static void within(const ScenarioLine& line, std::string_view name, std::uint64_t value,
                     std::uint64_t most) {
    if (value > most)
      line.refuse(std::string(name) + ' ' + std::to_string(value),
                  "must be at most " + std::to_string(most) + "; say less");
  }
  void read_disks(ScenarioLine& line) { line.members(scenario_.faults.disks); }
  void read_adversary(ScenarioLine& line) {
    Roles& roles = scenario_.adversaries;
    if (line.takes("clients")) {
      roles.clients = kinds(line, &AdversaryKinds::of_clients);
      return;
    }
    const NodeId self = node(line);
    if (roles.has(self)) line.refuse(line.peek(), "belongs to the other line of that node");
    roles.replicas.push_back({self, kinds(line, &AdversaryKinds::of_replicas)});
    std::ranges::sort(roles.replicas, {}, &Role::node);
  }
  static AdversaryKinds kinds(ScenarioLine& line,
                              std::vector<std::size_t> (AdversaryKinds::*suitable)() const) {
    const std::string_view names = line.take();
    try {
      const AdversaryKinds kinds = parse_adversary_kinds(names);
      const std::size_t wanted = kinds.of_clients().size() + kinds.of_replicas().size();
      if (wanted != 0 && (kinds.*suitable)().size() == wanted) return kinds;
    } catch (const ConfigError&) {
      // Said below, with the place in the file.
    }
    line.refuse(names, "names no ways of such a one to be faulty: mirbft-sim --adversary list");
  }
  void read_heal(ScenarioLine& line) {
    scenario_.faults.heal = line.time();
    if (line.takes("without")) scenario_.faults.lost = nodes(line);
  }
  void read_settle(ScenarioLine& line) { scenario_.settle = line.time(); }

  // Strikes.

  void read_strike_at(ScenarioLine& line) {
    const Time at = line.time();
    Strike strike = read_strike(line);
    strike.at = at;
    if (!last_line_ || at > last_strike_) {
      last_strike_ = at;
      last_line_ = line;
    }
    scenario_.faults.strikes.push_back(std::move(strike));
  }

  Strike read_strike(ScenarioLine& line) {
    const auto kind_name = [](const StrikeShape& shape) { return to_string(shape.kind); };
    const StrikeShape& shape =
        line.one_of(strike_shapes, kind_name, "is no fault that strikes at a moment");
    line.take();
    Strike strike{.kind = shape.kind};
    read_whom(line, shape.whom, strike);
    if (shape.names) {
      line.expect(shape.amount);
      strike.amount = line.place_in(shape.names, static_cast<std::size_t>(shape.most) + 1);
    } else if (!shape.amount.empty() && line.takes(shape.amount)) {
      strike.amount = line.integer(shape.least, shape.most);
    }
    if (shape.span == "by") line.expect("by");
    if (shape.span == "by" || (!shape.span.empty() && line.takes(shape.span)))
      strike.lasts = line.time();
    return strike;
  }

  void read_whom(ScenarioLine& line, Whom whom, Strike& strike) {
    strike.nodes = whom == Whom::groups ? nodes(line) : std::vector{node(line)};
    if (whom == Whom::node) return;
    line.expect(whom == Whom::link ? "to" : "|");
    strike.others = whom == Whom::groups ? nodes(line) : std::vector{node(line)};
  }

  NodeId node(ScenarioLine& line) {
    names_nodes_ = true;
    return NodeId(line.number(0, scenario_.nodes - 1));
  }
  std::vector<NodeId> nodes(ScenarioLine& line) {
    names_nodes_ = true;
    std::vector<NodeId> all;
    for (const std::uint64_t number : line.numbers(0, scenario_.nodes - 1))
      all.push_back(NodeId(number));
    return all;
  }

  // Rules.

  /// Begins with any of `after`, `until` and `for`, in this order; without `for` it is a strike.
  void read_rule(ScenarioLine& line) {
    Rule rule;
    if (line.takes("after")) rule.after = read_moment(line);
    if (line.takes("until")) rule.until = read_moment(line);
    if (!line.takes("for")) return read_trigger(line, rule);
    rule.match = read_match(line);
    if (line.takes("first")) rule.first = line.number(1, ~std::uint64_t{0});
    rule.what = line.value<Meddling>();
    if (rule.what == Meddling::delay) rule.late = line.time();
    scenario_.rules.push_back(std::move(rule));
  }

  void read_trigger(ScenarioLine& line, const Rule& rule) {
    if (!rule.after || rule.until)
      line.refuse(line.peek(), "must be `for` and the messages that the line is about");
    if (rule.after->messages == 0)
      line.refuse(line.peek(), "must be `for` and messages; a strike at a time begins with `at`");
    scenario_.triggers.push_back({*rule.after, read_strike(line)});
  }

  Moment read_moment(ScenarioLine& line) {
    Moment moment;
    if (const std::optional<Time> time = parse_time(line.peek())) {
      moment.time = line.time();
      return moment;
    }
    moment.messages = line.begins_with_digit() ? line.number(1, ~std::uint64_t{0}) : 1;
    moment.match = read_match(line);
    return moment;
  }

  Match read_match(ScenarioLine& line) {
    Match match;
    const MessageFacts* facts = nullptr;
    if (!line.takes(detail::any_type)) {
      facts = &line.one_of(vocabulary_, &MessageFacts::type,
                           "is no message; say any for all of them, or one");
      match.type = line.take();
    }
    const auto span = [&](std::string_view name, std::optional<std::uint64_t> known) {
      if (facts && !known) line.refuse(name, "is nothing that " + match.type + " has; remove it");
      return line.span();
    };
    const MessageFacts all{{}, 0, 0, 0};
    const MessageFacts& has = facts ? *facts : all;
    for (;;) {
      if (line.takes("from")) {
        match.from = nodes(line);
      } else if (line.takes("to")) {
        match.to = nodes(line);
      } else if (line.takes("epoch")) {
        match.epoch = span("epoch", has.epoch);
      } else if (line.takes("view")) {
        match.view = span("view", has.view);
      } else if (line.takes("sn")) {
        match.sn = span("sn", has.sn);
      } else {
        return match;
      }
    }
  }

  /// What does not show in a single line.
  void finish() {
    Schedule& faults = scenario_.faults;
    if (scenario_.clients.empty()) scenario_.clients.resize(1);
    std::ranges::stable_sort(faults.strikes, {}, &Strike::at);
    if (!last_line_) return;
    if (!seen_.contains("heal")) {
      for (const Strike& strike : faults.strikes) {
        const Time lasts = strike.kind == Fault::clock_jump ? Time{} : strike.lasts;
        faults.heal = std::max(faults.heal, strike.at + lasts + std::chrono::seconds(1));
      }
    } else if (last_strike_ >= faults.heal) {
      last_line_->refuse("at " + time_text(last_strike_),
                         "is not before the healing, at " + time_text(faults.heal) +
                             "; strike earlier, or heal later");
    }
  }

  std::string source_;
  Vocabulary vocabulary_;
  Scenario scenario_;
  std::set<std::string_view> seen_;
  bool names_nodes_ = false;
  /// The latest strike, and where it stands.
  Time last_strike_{};
  std::optional<ScenarioLine> last_line_;
};

/// Reads the text of a scenario file; see ScenarioParser.
inline Scenario parse_scenario(std::string_view text, const std::string& source,
                               Vocabulary vocabulary) {
  return ScenarioParser(source, std::move(vocabulary)).parse(text);
}

}  // namespace mirbft::sim

#endif
