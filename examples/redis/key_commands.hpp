// Commands for keys of every type: DEL, EXISTS, TYPE, EXPIRE, SCAN and others.
#ifndef MIRBFT_EXAMPLES_REDIS_KEY_COMMANDS_HPP
#define MIRBFT_EXAMPLES_REDIS_KEY_COMMANDS_HPP

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "call.hpp"
#include "glob.hpp"

namespace redis {

inline void del(Call& call) {
  std::int64_t erased = 0;
  for (std::size_t at = 1; at < call.size(); ++at) erased += call.keys.erase(call[at]);
  call.reply.integer(erased);
}

inline void exists(Call& call) {
  std::int64_t found = 0;
  for (std::size_t at = 1; at < call.size(); ++at) found += call.keys.find(call[at]) != nullptr;
  call.reply.integer(found);
}

inline void type(Call& call) {
  const Entry* entry = call.keys.find(call[1]);
  call.reply.simple(entry ? type_name(entry->value) : "none");
}

inline void dbsize(Call& call) {
  call.reply.integer(static_cast<std::int64_t>(call.keys.size()));
}

inline void flushall(Call& call) {
  if (call.size() > 2 ||
      (call.size() == 2 && !is_word(call[1], "async") && !is_word(call[1], "sync")))
    return call.reply.error(error::syntax);
  for (Keyspace& keys : call.all) keys.clear();
  call.reply.ok();
}

namespace detail {

/// What stands behind the time of EXPIRE: when the new time counts.
struct ExpireOptions {
  bool if_none = false;
  bool if_any = false;
  bool if_greater = false;
  bool if_less = false;

  /// A key that never expires does so later than all others.
  bool allow(std::optional<Time> old, Time time) const {
    return !(if_none && old) && !(if_any && !old) && !(if_greater && (!old || time <= *old)) &&
           !(if_less && old && time >= *old);
  }
};

inline bool read_expire_options(Call& call, ExpireOptions& options) {
  for (std::size_t at = 3; at < call.size(); ++at) {
    if (is_word(call[at], "nx")) options.if_none = true;
    else if (is_word(call[at], "xx")) options.if_any = true;
    else if (is_word(call[at], "gt")) options.if_greater = true;
    else if (is_word(call[at], "lt")) options.if_less = true;
    else return call.fail("ERR Unsupported option " + std::string(call[at]));
  }
  if (options.if_none && (options.if_any || options.if_greater || options.if_less))
    return call.fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (options.if_greater && options.if_less)
    return call.fail("ERR GT and LT options at the same time are not compatible");
  return true;
}

}  // namespace detail

inline void expire(Call& call) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  detail::ExpireOptions options;
  std::int64_t time = 0;
  if (!read_expire_options(call, options) || !call.read(2, time)) return;
  if (time > most / 1000 || time < -(most / 1000) || time * 1000 > most - call.now)
    return call.reply.error(error::bad_expiry(call.name));
  time = time * 1000 + call.now;
  const Entry* entry = call.keys.find(call[1]);
  if (!entry || !options.allow(entry->expires, time)) return call.reply.integer(0);
  if (time <= call.now) call.keys.erase(call[1]);
  else call.keys.expire_at(call[1], time);
  call.reply.integer(1);
}

/// In seconds, rounded; -1 without end, -2 without key.
inline void ttl(Call& call) {
  const Entry* entry = call.keys.find(call[1]);
  if (!entry || !entry->expires) return call.reply.integer(entry ? -1 : -2);
  const Time left = *entry->expires - call.now;
  call.reply.integer(left / 1000 + (left % 1000 >= 500));
}

inline void persist(Call& call) {
  const Entry* entry = call.keys.find(call[1]);
  const bool expires = entry && entry->expires;
  if (expires) call.keys.expire_at(call[1], std::nullopt);
  call.reply.integer(expires);
}

namespace detail {

inline void reply_keys(ReplyWriter& reply, const std::vector<std::string_view>& found) {
  reply.array(found.size());
  for (const std::string_view key : found) reply.bulk(key);
}

/// What SCAN asks for.
struct ScanOptions {
  std::uint64_t cursor = 0;
  std::int64_t count = 10;
  std::optional<std::string_view> pattern;
  std::optional<std::string> type;

  bool want(std::string_view key, const Entry& entry) const {
    return (!pattern || matches(*pattern, key)) && (!type || type_name(entry.value) == *type);
  }
};

/// Matching takes time of pattern times name, for each key there is.
inline constexpr std::size_t longest_pattern = 256;
inline constexpr const char* pattern_too_long = "ERR the pattern is longer than 256 bytes";

inline bool read_scan_options(Call& call, ScanOptions& options) {
  const std::string_view cursor = call[1];
  const char* const cursor_end = cursor.data() + cursor.size();
  const auto [end, error] = std::from_chars(cursor.data(), cursor_end, options.cursor);
  if (error != std::errc() || end != cursor_end) return call.fail("ERR invalid cursor");
  for (std::size_t at = 2; at < call.size(); at += 2) {
    if (at + 1 == call.size()) return call.fail(error::syntax);
    if (is_word(call[at], "count")) {
      if (!call.read(at + 1, options.count)) return false;
      if (options.count < 1) return call.fail(error::syntax);
    } else if (is_word(call[at], "match")) {
      options.pattern = call[at + 1];
      if (options.pattern->size() > longest_pattern) return call.fail(pattern_too_long);
    } else if (is_word(call[at], "type")) {
      options.type = lower(call[at + 1]);
    } else {
      return call.fail(error::syntax);
    }
  }
  return true;
}

}  // namespace detail

inline void keys(Call& call) {
  if (call[1].size() > detail::longest_pattern) return void(call.fail(detail::pattern_too_long));
  std::vector<std::string_view> found;
  for (const auto& [key, entry] : call.keys.entries())
    if (matches(call[1], key.text)) found.push_back(key.text);
  detail::reply_keys(call.reply, found);
}

/// Keys with one hash come together, so that the hash is enough of a cursor.
inline void scan(Call& call) {
  detail::ScanOptions options;
  if (!read_scan_options(call, options)) return;
  const Keyspace::Entries& entries = call.keys.entries();
  std::vector<std::string_view> found;
  std::uint64_t last = 0;
  auto at = entries.lower_bound(options.cursor);
  for (; at != entries.end() && (options.count > 0 || at->first.hash == last); ++at) {
    --options.count;
    last = at->first.hash;
    if (options.want(at->first.text, at->second)) found.push_back(at->first.text);
  }
  call.reply.array(2);
  call.reply.bulk(std::to_string(at == entries.end() ? 0 : at->first.hash));
  detail::reply_keys(call.reply, found);
}

}  // namespace redis

#endif
