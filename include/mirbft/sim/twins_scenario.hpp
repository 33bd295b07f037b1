// What may happen to twins: scenarios, each with a number, and what makes one out of the number.
#ifndef MIRBFT_SIM_TWINS_SCENARIO_HPP
#define MIRBFT_SIM_TWINS_SCENARIO_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/sim/random.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft::sim::twins {

/// The kinds of messages of a view, in the order in which they are due.
enum class Moment : std::uint8_t { call, proposal, vote, commit };
inline constexpr std::size_t moments = 4;

constexpr std::string_view to_string(Moment moment) noexcept {
  constexpr std::string_view names[] = {"everything", "proposals and what follows",
                                        "votes and commits", "commits"};
  return names[static_cast<std::size_t>(moment)];
}

/// A partition of the network for one round. It strikes messages of kind `from` and later ones: so
/// some nodes may be prepared, or know a proposal, and the others not.
struct Cut {
  /// Four bits for each instance: its group. All 0 for a whole network.
  std::uint64_t groups = 0;
  Moment from = Moment::call;

  std::uint64_t group_of(std::size_t instance) const noexcept {
    return groups >> (4 * instance) & 15;
  }
  bool loses(Moment kind, std::size_t sender, std::size_t receiver) const noexcept {
    return kind >= from && group_of(sender) != group_of(receiver);
  }
};

/// A correct node comes back with what is in its log, once it has handled `after` events.
struct Restart {
  std::size_t instance = 0;
  std::uint64_t after = 0;
};

/// When those who lack something are told it again, as far as the network lets them.
enum class Reminded : std::uint8_t { once_healed, each_round };

/// A round is as long as a view may stand still: whoever has not finished gives up on its view at
/// the end, but for those whose clock is late.
struct Round {
  Cut cut;
  Reminded reminded = Reminded::once_healed;
  std::optional<Restart> restart{};
  /// Bit i: that is instance i.
  std::uint64_t patient = 0;
};

/// How large scenarios are. Node 0 leads view 0, node 1 view 1, and so on. Of a node that has a
/// twin there are two instances with one key; the second ones come after the first ones of all.
struct Shape {
  std::size_t nodes = 4;
  std::size_t twins = 1;
  /// Rounds until the network heals.
  std::size_t views = 4;
  /// Into how many groups the network falls at most.
  std::size_t groups = 2;

  std::size_t instances() const noexcept { return nodes + twins; }
};

/// Scenarios are counted, each in its place, or drawn at random from a seed.
enum class Choice : std::uint8_t { counted, drawn };

/// Everything that happens until the network heals.
struct Scenario {
  Shape shape;
  Choice choice = Choice::counted;
  /// Its place, or its seed.
  std::uint64_t number = 0;
  /// The nodes that have twins, ascending.
  std::vector<std::size_t> twins;
  std::vector<Round> rounds;

  std::size_t node_of(std::size_t instance) const noexcept {
    return instance < shape.nodes ? instance : twins[instance - shape.nodes];
  }
  bool is_correct(std::size_t instance) const noexcept {
    return !std::binary_search(twins.begin(), twins.end(), node_of(instance));
  }
  /// A second instance is marked as in 0'.
  std::string name_of(std::size_t instance) const {
    return std::to_string(node_of(instance)) + (instance < shape.nodes ? "" : "'");
  }
};

/// All scenarios of a shape. `count()` of them can be counted: every choice of the nodes that have
/// twins (so of the views that twins lead), times, for each round, the whole network and every
/// partition of the instances that sets in at any of the four moments. In round 0 there is nothing
/// to call for, and so one moment less. With 4 nodes, 1 twin, 4 views and two groups that is
/// 4 (1 + 15 * 3) (1 + 15 * 4)^3 = 41,764,504. Messages arrive in the order in which they were
/// sent, and what is lost stays lost until the network is whole again.
///
/// No two of them are alike by symmetry: in four views each of four nodes leads one, and of two
/// twins it is always the first whose messages come first.
///
/// Scenarios that are drawn may have any number of views; besides, in any round messages overtake
/// one another, correct nodes restart, clocks are late, and what was lost is said again.
class Space {
 public:
  /// Throws ConfigError.
  explicit Space(Shape shape) : shape_(shape) {
    const auto number = [](std::size_t value) { return std::to_string(value); };
    if (shape.nodes < 4 || shape.nodes > 10)
      throw ConfigError("nodes", number(shape.nodes), "must be 4 to 10 for twins");
    if (shape.twins == 0 || shape.twins > Quorum(shape.nodes).faulty())
      throw ConfigError("twins", number(shape.twins),
                        "must be at least 1, and fewer than a third of the nodes");
    if (shape.views == 0 || shape.views > 64)
      throw ConfigError("views", number(shape.views), "must be 1 to 64");
    if (shape.groups < 2 || shape.groups > 3)
      throw ConfigError("groups", number(shape.groups), "must be 2 or 3");
    choose_twins({}, 0);
    divide(0, 0, 0);
  }

  const Shape& shape() const noexcept { return shape_; }
  /// The choices of the nodes that have twins.
  std::uint64_t positions() const noexcept { return positions_.size(); }
  /// The cuts to choose from in a round.
  std::uint64_t cuts(std::size_t round) const noexcept {
    return 1 + (partitions_.size() - 1) * (moments - (round == 0));
  }
  /// How many ways there are to go on from `round`; the greatest number if it is too small.
  std::uint64_t count_from(std::size_t round) const noexcept {
    std::uint64_t count = 1;
    for (; round < shape_.views; ++round) {
      if (count > most / cuts(round)) return most;
      count *= cuts(round);
    }
    return count;
  }
  std::uint64_t count() const noexcept {
    const std::uint64_t rest = count_from(0);
    return rest > most / positions() ? most : positions() * rest;
  }

  /// The scenario at `position` before anything has happened.
  Scenario start(std::uint64_t position) const {
    return {shape_, Choice::counted, 0, positions_[position], {}};
  }
  Cut cut(std::size_t round, std::uint64_t choice) const noexcept {
    if (choice == 0) return {};
    const std::uint64_t moment = (choice - 1) / (partitions_.size() - 1) + (round == 0);
    return {partitions_[1 + (choice - 1) % (partitions_.size() - 1)],
            static_cast<Moment>(moment)};
  }

  /// The scenario in its place. Throws ConfigError.
  Scenario at(std::uint64_t number) const {
    if (count() == most || number >= count())
      throw ConfigError("scenario", std::to_string(number),
                        count() == most ? "are too many to be counted: draw them"
                                        : "must be below " + std::to_string(count()));
    Scenario made = start(number / count_from(0));
    made.number = number;
    for (std::size_t round = 0; round < shape_.views; ++round)
      made.rounds.push_back(
          {cut(round, number % count_from(round) / count_from(round + 1))});
    return made;
  }

  /// The scenario of a seed.
  Scenario draw(std::uint64_t seed) const {
    Random random = Random(seed).fork("twins");
    Scenario made = start(random.below(positions()));
    made.choice = Choice::drawn;
    made.number = seed;
    for (std::size_t round = 0; round < shape_.views; ++round) {
      Round& one = made.rounds.emplace_back();
      one.cut = cut(round, random.below(cuts(round)));
      if (random.chance(300)) one.reminded = Reminded::each_round;
      const std::size_t instance = random.below(shape_.nodes);
      if (random.chance(300) && made.is_correct(instance))
        one.restart = {instance, random.below(100)};
      for (std::size_t i = 0; i < shape_.instances(); ++i)
        one.patient |= std::uint64_t{random.chance(100)} << i;
    }
    return made;
  }

 private:
  static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

  void choose_twins(std::vector<std::size_t> chosen, std::size_t next) {
    if (chosen.size() == shape_.twins) return positions_.push_back(std::move(chosen));
    for (; next < shape_.nodes; ++next) {
      chosen.push_back(next);
      choose_twins(chosen, next + 1);
      chosen.pop_back();
    }
  }
  /// Puts `instance` and those after it into each of the groups there are, or into a new one.
  void divide(std::size_t instance, std::uint64_t groups, std::uint64_t count) {
    if (instance == shape_.instances()) return partitions_.push_back(groups);
    for (std::uint64_t group = 0; group < std::min<std::uint64_t>(count + 1, shape_.groups);
         ++group)
      divide(instance + 1, groups | group << (4 * instance), std::max(count, group + 1));
  }

  Shape shape_;
  std::vector<std::vector<std::size_t>> positions_;
  /// The whole network first.
  std::vector<std::uint64_t> partitions_;
};

/// A partition for people.
inline std::string to_string(const Cut& cut, const Scenario& scenario) {
  if (cut.groups == 0) return "the network is whole";
  std::vector<std::string> groups;
  for (std::size_t i = 0; i < scenario.shape.instances(); ++i) {
    groups.resize(std::max<std::size_t>(groups.size(), cut.group_of(i) + 1));
    groups[cut.group_of(i)] += ' ' + scenario.name_of(i);
  }
  std::string text = std::string(to_string(cut.from)) + " within";
  for (const std::string& group : groups) text += group + (&group == &groups.back() ? "" : " |");
  return text;
}

/// A scenario for people, a line a round.
inline std::string to_string(const Scenario& scenario) {
  std::string text = std::to_string(scenario.shape.nodes) + " nodes, with twins:";
  for (const std::size_t node : scenario.twins) text += ' ' + std::to_string(node);
  text += '\n';
  for (std::size_t i = 0; i < scenario.rounds.size(); ++i) {
    const auto& [cut, reminded, restart, patient] = scenario.rounds[i];
    text += "  round " + std::to_string(i) + ": " + to_string(cut, scenario);
    if (reminded == Reminded::each_round) text += "; then said again";
    if (restart)
      text += "; node " + scenario.name_of(restart->instance) + " restarts after " +
              std::to_string(restart->after) + " events";
    if (patient != 0) text += "; late is";
    for (std::size_t one = 0; one < scenario.shape.instances(); ++one)
      if ((patient >> one & 1) != 0) text += ' ' + scenario.name_of(one);
    text += '\n';
  }
  return text;
}

}  // namespace mirbft::sim::twins

#endif
