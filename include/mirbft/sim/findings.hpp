// What a simulation has found to be wrong.
#ifndef MIRBFT_SIM_FINDINGS_HPP
#define MIRBFT_SIM_FINDINGS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/clock.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// A rule that was broken.
struct Finding {
  /// Short name of the rule, such as "agreement".
  std::string rule;
  /// What was seen, where and when, for people.
  std::string text;
  /// In nanoseconds since the beginning.
  std::uint64_t at = 0;
};

/// The findings of one run. Its texts name the seed, so that a single line is enough to begin with.
class Findings {
 public:
  /// Beyond so many, findings are only counted: the first ones tell the story.
  static constexpr std::size_t kept = 16;

  /// `clock` must outlive it.
  Findings(std::uint64_t seed, const Clock& clock) noexcept : seed_(seed), clock_(clock) {}

  void report(std::string rule, NodeId node, std::optional<SeqNr> sn, const std::string& what) {
    ++count_;
    if (all_.size() >= kept) return;
    const auto now = static_cast<std::uint64_t>(clock_.now().count());
    std::string text = "seed " + std::to_string(seed_) + ", node " + std::to_string(node.value);
    if (sn) text += ", sn " + std::to_string(sn->value);
    text += ", at " + std::to_string(now / 1'000'000) + " ms: " + rule + ": " + what;
    all_.push_back({std::move(rule), std::move(text), now});
  }

  bool none() const noexcept { return count_ == 0; }
  std::uint64_t count() const noexcept { return count_; }
  const std::vector<Finding>& all() const noexcept { return all_; }

 private:
  std::uint64_t seed_;
  const Clock& clock_;
  std::uint64_t count_ = 0;
  std::vector<Finding> all_;
};

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::Finding, rule, text, at);

#endif
