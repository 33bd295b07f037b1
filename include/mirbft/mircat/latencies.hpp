// How long things took: histograms of fixed size, whatever their number.
#ifndef MIRBFT_MIRCAT_LATENCIES_HPP
#define MIRBFT_MIRCAT_LATENCIES_HPP

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <mirbft/mircat/meaning.hpp>

namespace mirbft::mircat {

/// Durations in nanoseconds, by their logarithm: known to within 5 %.
class Histogram {
 public:
  static constexpr int steps_per_octave = 8;

  void add(std::uint64_t duration) {
    ++counts_[place_of(duration)];
    ++total_;
  }

  std::uint64_t total() const noexcept { return total_; }
  /// Place to count; place `p` begins at `2^(p / steps_per_octave)` ns.
  const std::map<int, std::uint64_t>& counts() const noexcept { return counts_; }

  /// The duration that a share of all, from 0 to 1, does not exceed; 0 if there are none.
  double quantile(double share) const {
    const double wanted = share * static_cast<double>(total_);
    double passed = 0;
    for (const auto& [place, count] : counts_) {
      passed += static_cast<double>(count);
      if (passed >= wanted) return std::exp2((place + 0.5) / steps_per_octave);
    }
    return 0;
  }

 private:
  static int place_of(std::uint64_t duration) {
    const auto value = static_cast<double>(duration == 0 ? 1 : duration);
    return static_cast<int>(std::floor(std::log2(value) * steps_per_octave));
  }

  std::map<int, std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

/// The way of a request and of its slot, at one node.
enum class Leg : std::uint8_t {
  request_to_proposal,
  to_prepared,
  to_committed,
  to_delivered,
  whole,
};
inline constexpr std::size_t leg_count = 5;
inline constexpr std::string_view leg_names[leg_count] = {
    "request came → proposed", "proposed → prepared", "prepared → committed",
    "committed → delivered", "request came → applied"};

/// Collects durations of all nodes.
class Latencies {
 public:
  /// Requests that are on their way, at most; more are not measured.
  static constexpr std::size_t most_open = std::size_t{1} << 20;

  void add(std::uint64_t node, std::uint64_t time, const Meaning& meaning) {
    for (const RequestName& request : meaning.requests) {
      if (meaning.mark == Mark::request_came) {
        if (came_.size() < most_open) came_.try_emplace({node, request}, Open{time, time});
        continue;
      }
      const auto found = came_.find({node, request});
      if (found == came_.end() || time < found->second.since) continue;
      if (meaning.mark == Mark::request_applied) {
        of(Leg::whole).add(time - found->second.since);
        came_.erase(found);
      } else if (found->second.until_proposal) {
        of(Leg::request_to_proposal).add(time - found->second.since);
        found->second.until_proposal.reset();
      }
    }
  }

  /// A slot has come from one phase to a later one.
  void add_phase(Phase before, Phase now, std::optional<std::uint64_t> duration) {
    if (duration && static_cast<int>(now) == static_cast<int>(before) + 1)
      histograms_[static_cast<std::size_t>(now) - 1].add(*duration);
  }

  const Histogram& operator[](Leg leg) const { return histograms_[static_cast<std::size_t>(leg)]; }
  /// Requests that came to a node and that it has not applied.
  std::size_t open() const noexcept { return came_.size(); }

 private:
  struct Open {
    std::uint64_t since = 0;
    std::optional<std::uint64_t> until_proposal;
  };

  Histogram& of(Leg leg) { return histograms_[static_cast<std::size_t>(leg)]; }

  std::map<std::pair<std::uint64_t, RequestName>, Open> came_;
  std::array<Histogram, leg_count> histograms_;
};

}  // namespace mirbft::mircat

#endif
