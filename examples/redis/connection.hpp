// What a connection has chosen, and the commands that its gateway answers without asking anybody.
#ifndef MIRBFT_EXAMPLES_REDIS_CONNECTION_HPP
#define MIRBFT_EXAMPLES_REDIS_CONNECTION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "call.hpp"
#include "glob.hpp"

namespace redis {

/// How many databases SELECT may choose from.
inline constexpr std::uint32_t database_count = 16;

/// The state of a connection that the database never sees.
struct Connection {
  std::uint64_t id = 0;
  std::string name;
  std::uint32_t database = 0;
  Protocol protocol = Protocol::resp2;
};

/// What the functions of the gateway's own commands are given.
struct LocalCall {
  std::string_view name;  ///< of the command, in small letters
  Arguments arguments;    ///< the name is the first
  Connection& connection;
  ReplyWriter& reply;

  std::size_t size() const noexcept { return arguments.size(); }
  std::string_view operator[](std::size_t place) const { return arguments[place].text(); }
};

inline void ping(LocalCall& call) {
  if (call.size() > 2) return call.reply.error(error::wrong_arity(call.name));
  call.size() == 2 ? call.reply.bulk(call[1]) : call.reply.simple("PONG");
}

inline void echo(LocalCall& call) { call.reply.bulk(call[1]); }

inline void select(LocalCall& call) {
  const auto number = parse_integer(call[1]);
  if (!number) return call.reply.error(error::no_integer);
  if (*number < 0 || *number >= database_count)
    return call.reply.error("ERR DB index is out of range");
  call.connection.database = static_cast<std::uint32_t>(*number);
  call.reply.ok();
}

namespace detail {

/// Nobody needs a password here, so only the user that exists is right, with any.
inline bool check_user(LocalCall& call, std::string_view user) {
  if (user == "default") return true;
  call.reply.error("WRONGPASS invalid username-password pair or user is disabled.");
  return false;
}

inline bool check_name(LocalCall& call, std::string_view name) {
  for (const char letter : name)
    if (letter < '!' || letter > '~') {
      call.reply.error(
          "ERR Client names cannot contain spaces, newlines or special characters.");
      return false;
    }
  return true;
}

}  // namespace detail

inline void auth(LocalCall& call) {
  if (call.size() > 3) return call.reply.error(error::syntax);
  if (call.size() == 2)
    return call.reply.error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  if (detail::check_user(call, call[1])) call.reply.ok();
}

namespace detail {

/// The version that HELLO asks for, and the connection's name; none after an error.
inline bool read_hello(LocalCall& call, Protocol& protocol, std::optional<std::string_view>& name) {
  if (call.size() == 1) return true;
  const auto version = parse_integer(call[1]);
  if (!version) {
    call.reply.error("ERR Protocol version is not an integer or out of range");
    return false;
  }
  if (*version < 2 || *version > 3) {
    call.reply.error("NOPROTO unsupported protocol version");
    return false;
  }
  protocol = *version == 2 ? Protocol::resp2 : Protocol::resp3;
  std::optional<std::string_view> user;
  for (std::size_t at = 2; at < call.size(); ++at) {
    if (is_word(call[at], "auth") && at + 2 < call.size()) {
      user = call[at + 1];
      at += 2;
    } else if (is_word(call[at], "setname") && at + 1 < call.size()) {
      name = call[++at];
      if (!check_name(call, *name)) return false;
    } else {
      call.reply.error("ERR Syntax error in HELLO option '" + std::string(call[at]) + "'");
      return false;
    }
  }
  return !user || check_user(call, *user);
}

}  // namespace detail

/// The Redis whose behaviour is followed. Client libraries look at it.
inline constexpr std::string_view redis_version = "7.0.15";

inline void hello(LocalCall& call) {
  Protocol protocol = call.connection.protocol;
  std::optional<std::string_view> name;
  if (!detail::read_hello(call, protocol, name)) return;
  call.connection.protocol = protocol;
  if (name) call.connection.name = *name;
  ReplyWriter& reply = call.reply;
  reply.use(call.connection.protocol);
  reply.map(7);
  const auto put = [&reply](std::string_view key, std::string_view value) {
    reply.bulk(key);
    reply.bulk(value);
  };
  put("server", "redis");
  put("version", redis_version);
  reply.bulk("proto");
  reply.integer(static_cast<int>(call.connection.protocol));
  reply.bulk("id");
  reply.integer(static_cast<std::int64_t>(call.connection.id));
  put("mode", "standalone");
  put("role", "master");
  reply.bulk("modules");
  reply.array(0);
}

inline void client_id(LocalCall& call) {
  call.reply.integer(static_cast<std::int64_t>(call.connection.id));
}
inline void client_getname(LocalCall& call) {
  const std::string& name = call.connection.name;
  name.empty() ? call.reply.null() : call.reply.bulk(name);
}
inline void client_setname(LocalCall& call) {
  if (!detail::check_name(call, call[2])) return;
  call.connection.name = call[2];
  call.reply.ok();
}
inline void client_info(LocalCall& call) {
  const Connection& connection = call.connection;
  call.reply.verbatim("id=" + std::to_string(connection.id) + " name=" + connection.name +
                      " db=" + std::to_string(connection.database) + " user=default resp=" +
                      std::to_string(static_cast<int>(connection.protocol)) + "\n");
}

/// Facts about the service that hold for every gateway, by section.
inline void info(LocalCall& call) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> sections{{
      {"server", "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n"},
      {"replication", "# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"},
      {"cluster", "# Cluster\r\ncluster_enabled:0\r\n"},
  }};
  std::string text;
  for (const auto& [name, facts] : sections) {
    bool wanted = call.size() == 1;
    for (std::size_t at = 1; at < call.size(); ++at)
      wanted |= is_word(call[at], name) || is_word(call[at], "default") ||
                is_word(call[at], "all") || is_word(call[at], "everything");
    if (!wanted) continue;
    if (!text.empty()) text += "\r\n";
    text += facts;
  }
  call.reply.verbatim(text);
}

/// What tools ask for before they work; nothing of it can be set.
inline void config_get(LocalCall& call) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> values{{
      {"appendonly", "no"},
      {"databases", "16"},
      {"maxmemory", "0"},
      {"proto-max-bulk-len", "536870912"},
      {"save", ""},
  }};
  std::vector<std::size_t> found;
  for (std::size_t place = 0; place < values.size(); ++place)
    for (std::size_t at = 2; at < call.size(); ++at)
      if (matches(lower(call[at]), values[place].first)) {
        found.push_back(place);
        break;
      }
  call.reply.map(found.size());
  for (const std::size_t place : found) {
    call.reply.bulk(values[place].first);
    call.reply.bulk(values[place].second);
  }
}

}  // namespace redis

#endif
