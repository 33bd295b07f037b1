// Twins: every way to cut a network around nodes that are there twice.
#ifndef MIRBFT_SIM_TWINS_HPP
#define MIRBFT_SIM_TWINS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/twins_cluster.hpp>
#include <mirbft/sim/twins_scenario.hpp>

namespace mirbft::sim::twins {

/// How a scenario ended.
struct Outcome {
  Figures figures;
  std::vector<Finding> findings;
};

/// What many scenarios add up to.
struct Tally {
  /// Scenarios, and those of them that were played to their end: the others come to a point where
  /// every instance has been told just what it was told in one that was played.
  std::uint64_t scenarios = 0;
  std::uint64_t played = 0;
  /// How many have ended with view i as the highest one.
  std::vector<std::uint64_t> by_view;
  Figures figures;
  /// The first that was found to break a rule.
  std::optional<Scenario> failed;

  void add(const Figures& one) {
    ++played;
    figures += one;
    if (by_view.size() <= one.highest_view) by_view.resize(one.highest_view + 1);
    ++by_view[one.highest_view];
  }
};

/// Twins (Bano, Sonnino, Chursin, Perelman, Li, Ching, Malkhi: "Twins: BFT Systems Made Robust",
/// OPODIS 2021): a faulty node is two correct ones with one identity and one key, which between
/// them equivocate, forget and vote twice, as the partitions of the network let them. In every
/// scenario the correct nodes must keep all invariants, and come to an end once it heals.
template <class Subject>
class Twins {
 public:
  /// Throws ConfigError.
  explicit Twins(const Shape& shape, std::uint32_t slots = 1, Subject subject = {})
      : space_(shape), setting_(shape.nodes, slots, std::move(subject)) {}

  const Space& space() const noexcept { return space_; }

  /// Plays one scenario.
  Outcome play(const Scenario& scenario) const {
    Cluster<Subject> cluster(setting_, scenario);
    for (const Round& round : scenario.rounds) cluster.play(round);
    cluster.heal(patience());
    return {cluster.figures(), cluster.findings().all()};
  }

  /// The scenarios that seeds draw, from `first` on, while `go_on(tally)`.
  template <class GoOn>
  Tally sample(std::uint64_t first, std::uint64_t last, GoOn&& go_on) const {
    Tally tally;
    for (std::uint64_t seed = first;; ++seed) {
      const Scenario scenario = space_.draw(seed);
      const Outcome outcome = play(scenario);
      ++tally.scenarios;
      tally.add(outcome.figures);
      if (!outcome.findings.empty()) tally.failed = scenario;
      if (seed == last || tally.failed || !go_on(tally)) return tally;
    }
  }

  /// The scenarios in these places, while `go_on(tally)`. What they have in common is done once.
  /// Throws ConfigError if there are none.
  template <class GoOn>
  Tally explore(std::uint64_t first, std::uint64_t last, GoOn&& go_on) const {
    (void)space_.at(first);
    Course<GoOn> course{*this, {first, last}, go_on, {}, {}};
    course.seen.resize(space_.shape().views);
    for (std::uint64_t position = 0; position < space_.positions(); ++position) {
      for (std::set<std::uint64_t>& of_round : course.seen) of_round.clear();
      const Scenario start = space_.start(position);
      course.go_on_from(Cluster<Subject>(setting_, start), 0, position * space_.count_from(0));
    }
    return course.tally;
  }

 private:
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };

  /// A walk through all scenarios in their order.
  template <class GoOn>
  struct Course {
    const Twins& twins;
    Range range;
    GoOn& go_on;
    Tally tally;
    /// What the instances have been told until the end of each round, by fingerprint.
    std::vector<std::set<std::uint64_t>> seen;

    /// All that can come after `begun`; the first of these scenarios has this number.
    void go_on_from(const Cluster<Subject>& begun, std::size_t round, std::uint64_t number) {
      const Space& space = twins.space_;
      const std::uint64_t size = space.count_from(round + 1);
      for (std::uint64_t cut = 0; cut < space.cuts(round); ++cut, number += size) {
        if (number > range.last || number + size <= range.first) continue;
        if (tally.failed || !go_on(std::as_const(tally))) return;
        Cluster<Subject> next(begun);
        next.play({space.cut(round, cut)});
        if (is_known(next, round, number, size)) {
          tally.scenarios += size;
        } else if (round + 1 < space.shape().views && next.findings().none()) {
          go_on_from(next, round + 1, number);
        } else {
          end(next, std::max(number, range.first));
        }
      }
    }

    /// Whether this has led to where others have, and all that may follow was or will be seen.
    bool is_known(const Cluster<Subject>& cluster, std::size_t round, std::uint64_t number,
                  std::uint64_t size) {
      if (number < range.first || number + size - 1 > range.last) return false;
      return !seen[round].insert(cluster.fingerprint()).second;
    }

    void end(Cluster<Subject>& cluster, std::uint64_t number) {
      cluster.heal(twins.patience());
      ++tally.scenarios;
      tally.add(cluster.figures());
      if (!cluster.findings().none()) tally.failed = twins.space_.at(number);
    }
  };

  /// Rounds until everybody must have finished: each node has led for one, and some for two.
  std::uint64_t patience() const noexcept { return 2 * space_.shape().nodes; }

  Space space_;
  Setting<Subject> setting_;
};

}  // namespace mirbft::sim::twins

#endif
