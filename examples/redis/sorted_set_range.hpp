// Which members of a sorted set ZRANGE asks for: by rank, by score or by their bytes.
#ifndef MIRBFT_EXAMPLES_REDIS_SORTED_SET_RANGE_HPP
#define MIRBFT_EXAMPLES_REDIS_SORTED_SET_RANGE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "call.hpp"

namespace redis::detail {

using Scored = SortedSet::ByScore::value_type;

/// What stands behind the two ends of ZRANGE.
struct RangeOptions {
  enum class By : std::uint8_t { rank, score, bytes };

  By by = By::rank;
  bool reversed = false;
  bool with_scores = false;
  std::int64_t offset = 0;
  std::int64_t limit = -1;  ///< none if negative
};

/// The two ends. Which of them say something depends on `RangeOptions::by`.
struct Range {
  struct End {
    /// Before all that there can be, at `score` or `member`, or behind all.
    enum class Kind : std::uint8_t { lowest, value, highest };
    Kind kind = Kind::value;
    double score = 0;
    std::string_view member;
    bool excluded = false;
  };

  std::int64_t first_rank = 0;
  std::int64_t last_rank = 0;
  End low;
  End high;
};

inline bool read_range_options(Call& call, RangeOptions& options) {
  using By = RangeOptions::By;
  for (std::size_t at = 4; at < call.size(); ++at) {
    if (is_word(call[at], "withscores")) {
      options.with_scores = true;
    } else if (is_word(call[at], "limit") && at + 2 < call.size()) {
      if (!call.read(at + 1, options.offset) || !call.read(at + 2, options.limit)) return false;
      at += 2;
    } else if (is_word(call[at], "rev") && !options.reversed) {
      options.reversed = true;
    } else if (is_word(call[at], "byscore") && options.by == By::rank) {
      options.by = By::score;
    } else if (is_word(call[at], "bylex") && options.by == By::rank) {
      options.by = By::bytes;
    } else {
      return call.fail(error::syntax);
    }
  }
  if (options.limit != -1 && options.by == By::rank)
    return call.fail("ERR syntax error, LIMIT is only supported in combination with either "
                     "BYSCORE or BYLEX");
  if (options.with_scores && options.by == By::bytes)
    return call.fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  return true;
}

/// `1.5` or, without that score itself, `(1.5`. No number is 0, as in Redis.
inline bool read_score_end(std::string_view text, Range::End& end) {
  end.excluded = text.starts_with('(');
  if (end.excluded) text.remove_prefix(1);
  const auto score = text.empty() ? 0 : parse_score(text);
  if (score) end.score = *score;
  return score.has_value();
}
/// `[member`, `(member`, `-` or `+`.
inline bool read_bytes_end(std::string_view text, Range::End& end) {
  if (text == "-") end.kind = Range::End::Kind::lowest;
  else if (text == "+") end.kind = Range::End::Kind::highest;
  else if (!text.starts_with('[') && !text.starts_with('(')) return false;
  end.excluded = text.starts_with('(');
  end.member = text.substr(1);
  return true;
}

inline bool read_range(Call& call, const RangeOptions& options, Range& range) {
  if (options.by == RangeOptions::By::rank)
    return call.read(2, range.first_rank) && call.read(3, range.last_rank);
  const std::size_t low = options.reversed ? 3 : 2;
  const std::size_t high = options.reversed ? 2 : 3;
  if (options.by == RangeOptions::By::score)
    return (read_score_end(call[low], range.low) && read_score_end(call[high], range.high)) ||
           call.fail("ERR min or max is not a float");
  return (read_bytes_end(call[low], range.low) && read_bytes_end(call[high], range.high)) ||
         call.fail("ERR min or max not valid string range item");
}

/// Whether the scored member lies before the low end, or behind the high end.
inline bool is_below(const Scored& scored, const RangeOptions& options, const Range::End& low) {
  if (low.kind != Range::End::Kind::value) return low.kind == Range::End::Kind::highest;
  if (options.by == RangeOptions::By::score)
    return scored.first < low.score || (low.excluded && scored.first == low.score);
  return scored.second < low.member || (low.excluded && scored.second == low.member);
}
inline bool is_above(const Scored& scored, const RangeOptions& options, const Range::End& high) {
  if (high.kind != Range::End::Kind::value) return high.kind == Range::End::Kind::lowest;
  if (options.by == RangeOptions::By::score)
    return scored.first > high.score || (high.excluded && scored.first == high.score);
  return scored.second > high.member || (high.excluded && scored.second == high.member);
}

/// Up to `count` members from an iterator on, without those that come before `offset`.
template <class Iterator>
std::vector<const Scored*> take(Iterator at, Iterator end, std::size_t offset, std::size_t count) {
  std::vector<const Scored*> found;
  for (; at != end && offset > 0; --offset) ++at;
  for (; at != end && count > 0; --count, ++at) found.push_back(&*at);
  return found;
}

/// The members between two iterators, in the order and as many as the options say.
template <class Iterator>
std::vector<const Scored*> take(Iterator first, Iterator last, const RangeOptions& options,
                                std::size_t offset, std::size_t count) {
  if (!options.reversed) return take(first, last, offset, count);
  return take(std::make_reverse_iterator(last), std::make_reverse_iterator(first), offset, count);
}

/// Takes time of the rank, or of what is skipped: these sets keep no ranks.
inline std::vector<const Scored*> in_range(const SortedSet& set, const RangeOptions& options,
                                           const Range& range) {
  const SortedSet::ByScore& all = set.by_score();
  if (options.by == RangeOptions::By::rank) {
    const Places places(range.first_rank, range.last_rank, set.size());
    return take(all.begin(), all.end(), options, places.first, places.count);
  }
  if (options.offset < 0) return {};
  const auto offset = static_cast<std::size_t>(options.offset);
  const auto count = options.limit < 0 ? std::numeric_limits<std::size_t>::max()
                                       : static_cast<std::size_t>(options.limit);
  auto first = options.by == RangeOptions::By::score
                   ? all.lower_bound({range.low.score, std::string()})
                   : all.begin();
  while (first != all.end() && is_below(*first, options, range.low)) ++first;
  auto last = first;
  while (last != all.end() && !is_above(*last, options, range.high)) ++last;
  return take(first, last, options, offset, count);
}

}  // namespace redis::detail

#endif
