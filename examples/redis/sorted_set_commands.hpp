// ZADD, ZRANGE, ZPOPMIN and ZSCORE.
#ifndef MIRBFT_EXAMPLES_REDIS_SORTED_SET_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REDIS_SORTED_SET_COMMANDS_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "call.hpp"
#include "sorted_set_range.hpp"

namespace redis {

namespace detail {

/// What stands before the scores of ZADD.
struct AddOptions {
  bool if_absent = false;
  bool if_present = false;
  bool if_greater = false;
  bool if_less = false;
  bool counts_changes = false;
  bool increments = false;
  std::size_t first = 2;  ///< the place of the first score
};

inline bool read_add_options(Call& call, AddOptions& options) {
  for (; options.first < call.size(); ++options.first) {
    const std::string_view word = call[options.first];
    if (is_word(word, "nx")) options.if_absent = true;
    else if (is_word(word, "xx")) options.if_present = true;
    else if (is_word(word, "gt")) options.if_greater = true;
    else if (is_word(word, "lt")) options.if_less = true;
    else if (is_word(word, "ch")) options.counts_changes = true;
    else if (is_word(word, "incr")) options.increments = true;
    else break;
  }
  const std::size_t words = call.size() - options.first;
  if (words == 0 || words % 2 != 0) return call.fail(error::syntax);
  if (options.if_absent && options.if_present)
    return call.fail("ERR XX and NX options at the same time are not compatible");
  if (options.if_absent + options.if_greater + options.if_less > 1)
    return call.fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  if (options.increments && words > 2)
    return call.fail("ERR INCR option supports a single increment-element pair");
  return true;
}

inline bool read_scores(Call& call, const AddOptions& options, std::vector<double>& scores) {
  for (std::size_t at = options.first; at < call.size(); at += 2) {
    const auto score = parse_score(call[at]);
    if (!score) return call.fail(error::no_float);
    scores.push_back(*score);
  }
  return true;
}

/// What the member's score becomes; none if the options forbid it. NaN is an error.
inline std::optional<double> new_score(const AddOptions& options, std::optional<double> old,
                                       double score) {
  if (!old) return options.if_present ? std::nullopt : std::optional(score);
  if (options.if_absent) return std::nullopt;
  if (options.increments) score += *old;
  if ((options.if_less && score >= *old) || (options.if_greater && score <= *old))
    return std::nullopt;
  return score;
}

}  // namespace detail

inline void zadd(Call& call) {
  detail::AddOptions options;
  std::vector<double> scores;
  SortedSet* set = nullptr;
  if (!read_add_options(call, options) || !read_scores(call, options, scores) ||
      !call.change(set))
    return;
  if (!set && options.if_present)
    return options.increments ? call.reply.null() : call.reply.integer(0);
  if (!call.obtain(set)) return;
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::optional<double> last;
  for (std::size_t at = 0; at < scores.size(); ++at) {
    const std::string_view member = call[options.first + 2 * at + 1];
    const std::optional<double> old = set->score(member);
    last = new_score(options, old, scores[at]);
    if (!last) continue;
    if (std::isnan(*last))
      return call.reply.error("ERR resulting score is not a number (NaN)");
    if (old == last) continue;
    set->set(member, *last);
    ++(old ? changed : added);
  }
  if (!options.increments)
    return call.reply.integer(options.counts_changes ? added + changed : added);
  last ? call.reply.real(*last) : call.reply.null();
}

inline void zscore(Call& call) {
  const SortedSet* set = nullptr;
  if (!call.find(set)) return;
  const auto score = set ? set->score(call[2]) : std::nullopt;
  score ? call.reply.real(*score) : call.reply.null();
}

inline void zpopmin(Call& call) {
  if (call.size() > 3) return call.reply.error(error::syntax);
  const bool has_count = call.size() == 3;
  std::int64_t most = 1;
  SortedSet* set = nullptr;
  if ((has_count && !call.read_count(2, most)) || !call.change(set)) return;
  const std::size_t count = set ? std::min(static_cast<std::size_t>(most), set->size()) : 0;
  const bool in_pairs = has_count && call.reply.protocol() == Protocol::resp3;
  call.reply.array(in_pairs ? count : 2 * count);
  for (std::size_t popped = 0; popped < count; ++popped) {
    const auto [score, member] = *set->by_score().begin();
    if (in_pairs) call.reply.array(2);
    call.reply.bulk(member);
    call.reply.real(score);
    set->erase(member);
  }
  if (set) call.erase_if_empty(*set);
}

inline void zrange(Call& call) {
  detail::RangeOptions options;
  const SortedSet* set = nullptr;
  detail::Range range;
  if (!read_range_options(call, options) || !read_range(call, options, range) || !call.find(set))
    return;
  const std::vector<const detail::Scored*> found =
      set ? detail::in_range(*set, options, range) : std::vector<const detail::Scored*>();
  const bool in_pairs = options.with_scores && call.reply.protocol() == Protocol::resp3;
  call.reply.array(found.size() * (options.with_scores && !in_pairs ? 2 : 1));
  for (const detail::Scored* scored : found) {
    if (in_pairs) call.reply.array(2);
    call.reply.bulk(scored->second);
    if (options.with_scores) call.reply.real(scored->first);
  }
}

}  // namespace redis

#endif
