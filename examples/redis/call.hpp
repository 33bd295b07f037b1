// One command at work: its arguments, the database that it is for, and the reply that it writes.
#ifndef MIRBFT_EXAMPLES_REDIS_CALL_HPP
#define MIRBFT_EXAMPLES_REDIS_CALL_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <mirbft/types/bytes.hpp>

#include "keyspace.hpp"
#include "numbers.hpp"
#include "random.hpp"
#include "reply_writer.hpp"
#include "words.hpp"

namespace redis {

using Arguments = std::span<const mirbft::Bytes>;

/// Errors in Redis' words.
namespace error {
inline constexpr std::string_view syntax = "ERR syntax error";
inline constexpr std::string_view no_integer = "ERR value is not an integer or out of range";
inline constexpr std::string_view no_float = "ERR value is not a valid float";
inline constexpr std::string_view not_positive = "ERR value is out of range, must be positive";
inline constexpr std::string_view wrong_type =
    "WRONGTYPE Operation against a key holding the wrong kind of value";

inline std::string wrong_arity(std::string_view command) {
  return "ERR wrong number of arguments for '" + std::string(command) + "' command";
}
inline std::string bad_expiry(std::string_view command) {
  return "ERR invalid expire time in '" + std::string(command) + "' command";
}
}  // namespace error

/// What the functions of ordered commands are given. Those of them that return false have written
/// an error, which is the reply then.
struct Call {
  std::string_view name;  ///< of the command, in small letters
  Arguments arguments;    ///< the name is the first
  Keyspace& keys;
  std::span<Keyspace> all;
  Time now;
  Random& random;
  ReplyWriter& reply;

  std::size_t size() const noexcept { return arguments.size(); }
  std::string_view operator[](std::size_t place) const { return arguments[place].text(); }

  bool fail(std::string_view why) {
    reply.error(why);
    return false;
  }
  bool read(std::size_t place, std::int64_t& number) {
    const auto value = parse_integer((*this)[place]);
    if (!value) return fail(error::no_integer);
    number = *value;
    return true;
  }
  bool read_count(std::size_t place, std::int64_t& number) {
    const auto value = parse_integer((*this)[place]);
    if (!value || *value < 0) return fail(error::not_positive);
    number = *value;
    return true;
  }

  /// What the first argument names, null if there is no such key; an error if it is not a `T`.
  template <class T>
  bool find(const T*& value) {
    const Entry* entry = keys.find((*this)[1]);
    value = entry ? std::get_if<T>(&entry->value) : nullptr;
    return !entry || value || fail(error::wrong_type);
  }
  /// The same in order to change it.
  template <class T>
  bool change(T*& value) {
    Entry* entry = keys.change((*this)[1]);
    value = entry ? std::get_if<T>(&entry->value) : nullptr;
    return !entry || value || fail(error::wrong_type);
  }
  /// The same, and what is not there is made.
  template <class T>
  bool obtain(T*& value) {
    if (!change(value)) return false;
    if (!value) value = &std::get<T>(keys.put((*this)[1], T()).value);
    return true;
  }
  /// A list, a set, a hash or a sorted set ends with its last element.
  template <class T>
  void erase_if_empty(const T& value) {
    if (value.empty()) keys.erase((*this)[1]);
  }
};

/// The places from `first` to `last` of `size` elements, where negative ones count from the end.
struct Places {
  std::size_t first = 0;
  std::size_t count = 0;

  Places(std::int64_t from, std::int64_t to, std::size_t size) {
    const auto end = static_cast<std::int64_t>(size);
    if (from < 0) from = from + end < 0 ? 0 : from + end;
    if (to < 0) to += end;
    if (to >= end) to = end - 1;
    if (from > to) return;
    first = static_cast<std::size_t>(from);
    count = static_cast<std::size_t>(to - from + 1);
  }
};

}  // namespace redis

#endif
