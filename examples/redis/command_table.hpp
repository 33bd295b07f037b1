// All commands: their names, how many arguments they take, and what carries them out.
#ifndef MIRBFT_EXAMPLES_REDIS_COMMAND_TABLE_HPP
#define MIRBFT_EXAMPLES_REDIS_COMMAND_TABLE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "call.hpp"
#include "connection.hpp"
#include "hash_commands.hpp"
#include "key_commands.hpp"
#include "list_commands.hpp"
#include "set_commands.hpp"
#include "sorted_set_commands.hpp"
#include "string_commands.hpp"

namespace redis {

/// What a command does with keys, as COMMAND tells it.
enum class Access : std::uint8_t { none, read, write };

/// Which of the arguments are keys; from `first` to `last`, which counts from the end if it is
/// negative, every `step` arguments.
struct KeyPlaces {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t step = 0;
};

/// One command. A name such as `client|id` is that of a subcommand. `arity` counts the name; a
/// negative one says how many there are at least. One of the two functions is there, or none if
/// the session itself does what is asked for.
struct CommandSpec {
  std::string_view name;
  std::int64_t arity = 1;
  Access access = Access::none;
  KeyPlaces keys;
  void (*ordered)(Call&) = nullptr;
  void (*local)(LocalCall&) = nullptr;

  constexpr bool allows(std::size_t arguments) const noexcept {
    const auto count = static_cast<std::int64_t>(arguments);
    return arity >= 0 ? count == arity : count >= -arity;
  }
  constexpr bool is_subcommand() const noexcept { return name.find('|') != name.npos; }
};

inline void command(LocalCall&);
inline void command_count(LocalCall&);
inline void command_info(LocalCall&);
inline void command_list(LocalCall&);

/// By name.
inline constexpr auto command_table = [] {
  constexpr KeyPlaces one{1, 1, 1};
  constexpr KeyPlaces all{1, -1, 1};
  constexpr KeyPlaces pairs{1, -1, 2};
  constexpr auto local = [](std::string_view name, std::int64_t arity,
                            void (*function)(LocalCall&)) {
    return CommandSpec{name, arity, Access::none, {}, nullptr, function};
  };
  constexpr auto reads = [](std::string_view name, std::int64_t arity, KeyPlaces keys,
                            void (*function)(Call&)) {
    return CommandSpec{name, arity, Access::read, keys, function, nullptr};
  };
  constexpr auto writes = [](std::string_view name, std::int64_t arity, KeyPlaces keys,
                             void (*function)(Call&)) {
    return CommandSpec{name, arity, Access::write, keys, function, nullptr};
  };
  std::array table{
      local("auth", -2, auth), local("echo", 2, echo), local("hello", -1, hello),
      local("info", -1, info), local("ping", -1, ping), local("select", 2, select),
      local("client", -2, nullptr), local("client|getname", 2, client_getname),
      local("client|id", 2, client_id), local("client|info", 2, client_info),
      local("client|setname", 3, client_setname),
      local("command", -1, command), local("command|count", 2, command_count),
      local("command|info", -2, command_info), local("command|list", 2, command_list),
      local("config", -2, nullptr), local("config|get", -3, config_get),
      local("discard", 1, nullptr), local("exec", 1, nullptr), local("multi", 1, nullptr),
      local("quit", -1, nullptr),

      reads("dbsize", 1, {}, dbsize), writes("del", -2, all, del), reads("exists", -2, all, exists),
      writes("expire", -3, one, expire), writes("flushall", -1, {}, flushall),
      reads("keys", 2, {}, keys), writes("persist", 2, one, persist), reads("scan", -2, {}, scan),
      reads("ttl", 2, one, ttl), reads("type", 2, one, type),

      writes("append", 3, one, append), writes("decr", 2, one, decr), reads("get", 2, one, get),
      writes("incr", 2, one, incr), writes("incrby", 3, one, incrby), reads("mget", -2, all, mget),
      writes("mset", -3, pairs, mset), writes("set", -3, one, set),
      reads("strlen", 2, one, strlen),

      reads("llen", 2, one, llen), writes("lpop", -2, one, lpop), writes("lpush", -3, one, lpush),
      reads("lrange", 4, one, lrange), writes("rpop", -2, one, rpop),
      writes("rpush", -3, one, rpush),

      writes("sadd", -3, one, sadd), reads("sismember", 3, one, sismember),
      reads("smembers", 2, one, smembers), writes("spop", -2, one, spop),
      writes("srem", -3, one, srem),

      writes("hdel", -3, one, hdel), reads("hget", 3, one, hget), reads("hgetall", 2, one, hgetall),
      writes("hset", -4, one, hset),

      writes("zadd", -4, one, zadd), writes("zpopmin", -2, one, zpopmin),
      reads("zrange", -4, one, zrange), reads("zscore", 3, one, zscore),
  };
  std::sort(table.begin(), table.end(), [](const CommandSpec& left, const CommandSpec& right) {
    return left.name < right.name;
  });
  return table;
}();

/// Null if there is no such command. The name is in small letters.
inline const CommandSpec* find_command(std::string_view name) {
  const auto at = std::lower_bound(
      command_table.begin(), command_table.end(), name,
      [](const CommandSpec& spec, std::string_view wanted) { return spec.name < wanted; });
  return at != command_table.end() && at->name == name ? &*at : nullptr;
}

namespace detail {

/// As C has it, where a text ends at the first NUL, and of which no more than that is shown.
inline std::string shown(std::string_view text, std::size_t most) {
  return std::string(text.substr(0, text.find('\0')).substr(0, most));
}

inline std::string unknown_command(Arguments arguments) {
  constexpr std::size_t most = 128;
  std::string named;
  for (std::size_t at = 1; at < arguments.size() && named.size() < most; ++at)
    named += '\'' + shown(arguments[at].text(), most - named.size()) + "' ";
  return "ERR unknown command '" + shown(arguments[0].text(), most) +
         "', with args beginning with: " + named;
}

}  // namespace detail

/// The command that the arguments ask for, which are not empty; null with Redis' own words in
/// `error` if there is none, or if it takes another number of them.
inline const CommandSpec* resolve(Arguments arguments, std::string& error) {
  const CommandSpec* spec = find_command(lower(arguments[0].text()));
  if (!spec || spec->is_subcommand()) {
    error = detail::unknown_command(arguments);
    return nullptr;
  }
  const bool is_container = is_word(spec->name, "client") || is_word(spec->name, "config") ||
                            is_word(spec->name, "command");
  if (is_container && arguments.size() > 1) {
    const std::string family(spec->name);
    spec = find_command(family + '|' + lower(arguments[1].text()));
    if (!spec) {
      std::string capitals = family;
      for (char& letter : capitals) letter = static_cast<char>(letter - 'a' + 'A');
      error = "ERR unknown subcommand '" + detail::shown(arguments[1].text(), 128) + "'. Try " +
              capitals + " HELP.";
      return nullptr;
    }
  }
  if (spec->allows(arguments.size())) return spec;
  error = error::wrong_arity(spec->name);
  return nullptr;
}

namespace detail {

inline void describe(ReplyWriter& reply, const CommandSpec& spec) {
  reply.array(10);
  reply.bulk(spec.name);
  reply.integer(spec.arity);
  reply.set(spec.access == Access::none ? 0 : 1);
  if (spec.access != Access::none)
    reply.simple(spec.access == Access::read ? "readonly" : "write");
  reply.integer(spec.keys.first);
  reply.integer(spec.keys.last);
  reply.integer(spec.keys.step);
  for (int groups = 0; groups < 4; ++groups) reply.array(0);
}

/// Calls `use(spec)` for all that are no subcommands.
template <class Use>
void for_each_command(Use&& use) {
  for (const CommandSpec& spec : command_table)
    if (!spec.is_subcommand()) use(spec);
}

inline std::size_t count_commands() {
  std::size_t count = 0;
  for_each_command([&count](const CommandSpec&) { ++count; });
  return count;
}

}  // namespace detail

inline void command(LocalCall& call) {
  call.reply.array(detail::count_commands());
  detail::for_each_command([&](const CommandSpec& spec) { detail::describe(call.reply, spec); });
}

inline void command_count(LocalCall& call) {
  call.reply.integer(static_cast<std::int64_t>(detail::count_commands()));
}

inline void command_info(LocalCall& call) {
  if (call.size() == 2) return command(call);
  call.reply.array(call.size() - 2);
  for (std::size_t at = 2; at < call.size(); ++at) {
    const CommandSpec* spec = find_command(lower(call[at]));
    spec ? detail::describe(call.reply, *spec) : call.reply.null_array();
  }
}

inline void command_list(LocalCall& call) {
  call.reply.array(detail::count_commands());
  detail::for_each_command([&](const CommandSpec& spec) { call.reply.bulk(spec.name); });
}

}  // namespace redis

#endif
