// GET, SET and the other commands for strings.
#ifndef MIRBFT_EXAMPLES_REDIS_STRING_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REDIS_STRING_COMMANDS_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "call.hpp"

namespace redis {

/// As in Redis, where it can be configured.
inline constexpr std::size_t longest_string = 512 * 1024 * 1024;

namespace detail {

/// What stands behind the key and the value of SET.
struct SetOptions {
  enum class If : std::uint8_t { always, absent, present };
  enum class Until : std::uint8_t { none, kept, seconds, milliseconds, at_second, at_millisecond };

  If condition = If::always;
  Until until = Until::none;
  std::size_t time = 0;  ///< the place of the argument
  bool returns_old = false;
};

/// Which unit a word of SET names; none if it is another word.
inline SetOptions::Until until_named(std::string_view word) {
  if (is_word(word, "ex")) return SetOptions::Until::seconds;
  if (is_word(word, "px")) return SetOptions::Until::milliseconds;
  if (is_word(word, "exat")) return SetOptions::Until::at_second;
  if (is_word(word, "pxat")) return SetOptions::Until::at_millisecond;
  return SetOptions::Until::none;
}

inline bool read_set_options(Call& call, SetOptions& options) {
  using If = SetOptions::If;
  using Until = SetOptions::Until;
  for (std::size_t at = 3; at < call.size(); ++at) {
    const Until until = until_named(call[at]);
    if (is_word(call[at], "nx") && options.condition != If::present) {
      options.condition = If::absent;
    } else if (is_word(call[at], "xx") && options.condition != If::absent) {
      options.condition = If::present;
    } else if (is_word(call[at], "get")) {
      options.returns_old = true;
    } else if (is_word(call[at], "keepttl") &&
               (options.until == Until::none || options.until == Until::kept)) {
      options.until = Until::kept;
    } else if (until != Until::none && at + 1 < call.size() &&
               (options.until == Until::none || options.until == until)) {
      options.until = until;
      options.time = ++at;
    } else {
      return call.fail(error::syntax);
    }
  }
  return true;
}

/// When a SET with such options expires; none if it does not.
inline bool read_set_time(Call& call, const SetOptions& options, std::optional<Time>& when) {
  using Until = SetOptions::Until;
  if (options.time == 0) return true;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::int64_t time = 0;
  if (!call.read(options.time, time)) return false;
  const bool in_seconds = options.until == Until::seconds || options.until == Until::at_second;
  if (time <= 0 || (in_seconds && time > most / 1000))
    return call.fail(error::bad_expiry(call.name));
  if (in_seconds) time *= 1000;
  if (options.until == Until::seconds || options.until == Until::milliseconds) {
    if (time > most - call.now) return call.fail(error::bad_expiry(call.name));
    time += call.now;
  }
  when = time;
  return true;
}

/// INCR and its kind: a key that is not there counts as 0.
inline void add(Call& call, std::int64_t change) {
  std::string* value = nullptr;
  if (!call.change(value)) return;
  const auto number = value ? parse_integer(*value) : 0;
  if (!number) return call.reply.error(error::no_integer);
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*number, change, &sum))
    return call.reply.error("ERR increment or decrement would overflow");
  call.keys.put(call[1], std::to_string(sum));
  call.reply.integer(sum);
}

}  // namespace detail

inline void get(Call& call) {
  const std::string* value = nullptr;
  if (!call.find(value)) return;
  value ? call.reply.bulk(*value) : call.reply.null();
}

inline void set(Call& call) {
  detail::SetOptions options;
  std::optional<Time> when;
  if (!read_set_options(call, options) || !read_set_time(call, options, when)) return;
  const std::string* old = nullptr;
  if (options.returns_old) {
    if (!call.find(old)) return;
    old ? call.reply.bulk(*old) : call.reply.null();
  }
  using If = detail::SetOptions::If;
  const bool is_there = call.keys.find(call[1]) != nullptr;
  if (options.condition != If::always && is_there != (options.condition == If::present)) {
    if (!options.returns_old) call.reply.null();
    return;
  }
  call.keys.put(call[1], std::string(call[2]));
  if (options.until != detail::SetOptions::Until::kept) call.keys.expire_at(call[1], when);
  if (!options.returns_old) call.reply.ok();
}

inline void incr(Call& call) { detail::add(call, 1); }
inline void decr(Call& call) { detail::add(call, -1); }
inline void incrby(Call& call) {
  std::int64_t change = 0;
  if (call.read(2, change)) detail::add(call, change);
}

inline void append(Call& call) {
  std::string* value = nullptr;
  if (!call.change(value)) return;
  if ((value ? value->size() : 0) + call[2].size() > longest_string)
    return call.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  if (!call.obtain(value)) return;
  value->append(call[2]);
  call.reply.integer(static_cast<std::int64_t>(value->size()));
}

inline void strlen(Call& call) {
  const std::string* value = nullptr;
  if (call.find(value)) call.reply.integer(value ? static_cast<std::int64_t>(value->size()) : 0);
}

inline void mget(Call& call) {
  call.reply.array(call.size() - 1);
  for (std::size_t at = 1; at < call.size() && !call.reply.overflowed(); ++at) {
    const Entry* entry = call.keys.find(call[at]);
    const auto* value = entry ? std::get_if<std::string>(&entry->value) : nullptr;
    value ? call.reply.bulk(*value) : call.reply.null();
  }
}

inline void mset(Call& call) {
  if (call.size() % 2 == 0) return call.reply.error(error::wrong_arity(call.name));
  for (std::size_t at = 1; at < call.size(); at += 2) {
    call.keys.put(call[at], std::string(call[at + 1]));
    call.keys.expire_at(call[at], std::nullopt);
  }
  call.reply.ok();
}

}  // namespace redis

#endif
