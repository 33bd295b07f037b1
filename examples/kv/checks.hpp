// The rules for a replica's configuration that no module checks by itself.
#ifndef MIRBFT_EXAMPLES_KV_CHECKS_HPP
#define MIRBFT_EXAMPLES_KV_CHECKS_HPP

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/config_file.hpp>

#include "config.hpp"

namespace kv {

/// The secret seed in a file that nobody but its owner may read. Throws ConfigError.
inline Key load_key(const std::string& path) {
  const auto refuse = [&](const std::string& value, const std::string& rule) {
    throw mirbft::ConfigError(path, value, rule);
  };
  struct ::stat found {};
  if (::stat(path.c_str(), &found) != 0)
    refuse(std::strerror(errno), "must be the file with this replica's secret");
  if ((found.st_mode & 077) != 0)
    refuse("a file that others may read", "is a secret: chmod 600 it");
  std::ifstream file(path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto is_digit = [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
  };
  Key key{};
  if (text.size() != 2 * key.size() || !std::all_of(text.begin(), text.end(), is_digit))
    refuse("no key", "must hold 64 hexadecimal digits: the seed of an Ed25519 key");
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  return key;
}

namespace detail {

inline void check_ports(const Config& config) {
  std::set<std::pair<std::string, std::uint16_t>> taken;
  const auto take = [&](const std::string& field, const std::string& host, std::uint16_t port) {
    if (!taken.emplace(host, port).second)
      throw mirbft::ConfigError(field, std::to_string(port),
                                "is taken by another line of this file: choose another port");
  };
  for (const Member& member : config.members) {
    const std::string field = "port of member " + std::to_string(member.id.value);
    if (member.port == 0)
      throw mirbft::ConfigError(field, "0", "must be where it listens: from 1 to 65535");
    take(field, member.host, member.port);
  }
  if (config.http_port != 0) take("http_port", config.http_host, config.http_port);
}

template <class Entry>
void check_key(const Entry& entry, const std::string& who) {
  if (!mirbft::Ed25519Key::is_public_key(mirbft::ByteView(entry.public_key)))
    throw mirbft::ConfigError("public_key of " + who + ' ' + std::to_string(entry.id.value),
                              mirbft::hex(mirbft::ByteView(entry.public_key)),
                              "is no Ed25519 public key: copy it anew from its owner");
}

inline void check_keys(const Config& config) {
  std::set<mirbft::ClientId> clients;
  for (const ClientEntry& client : config.clients) {
    if (!clients.insert(client.id).second)
      throw mirbft::ConfigError("clients", std::to_string(client.id.value),
                                "is listed twice: ids must be distinct");
    check_key(client, "client");
  }
  const Key own = load_key(config.key_file);
  for (const Member& member : config.members) {
    check_key(member, "member");
    if (member.id == config.self && member.public_key != programs::public_key_of(own))
      throw mirbft::ConfigError(
          "key_file", config.key_file,
          "is not the secret to the public key of member " + std::to_string(member.id.value) +
              ": name that one's file, or correct its public_key");
  }
}

}  // namespace detail

/// Throws ConfigError for the first rule that is broken, but for what only the start can tell:
/// whether ports and directories are free.
inline void check(const Config& config) {
  mirbft::iss::check(iss_config(config, mirbft::Memory::whole));
  mirbft::validate(net_config(config));
  if (config.segment_kib < 1 || config.segment_kib > 1 << 20)
    throw mirbft::ConfigError("segment_kib", std::to_string(config.segment_kib),
                              "must be from 1 to 1048576: 65536 is good");
  detail::check_ports(config);
  detail::check_keys(config);
}

}  // namespace kv

#endif
