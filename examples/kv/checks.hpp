// The rules for a replica's configuration that no module checks by itself.
#ifndef MIRBFT_EXAMPLES_KV_CHECKS_HPP
#define MIRBFT_EXAMPLES_KV_CHECKS_HPP

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tls.hpp>
#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

#include "config.hpp"
#include "memory.hpp"

namespace kv {

/// Who may know what is in a file.
enum class Content { open, secret };

/// All of a small file. Throws ConfigError if it cannot be read, or is a secret that others than
/// its owner may read.
inline std::string read_file(const std::string& path, Content content) {
  constexpr std::size_t longest = 64 << 10;
  const auto require = [&](bool holds, const std::string& value, const std::string& rule) {
    if (!holds) throw mirbft::ConfigError(path, value, rule);
  };
  struct ::stat found {};
  std::ifstream file(path);
  require(::stat(path.c_str(), &found) == 0 && file, std::strerror(errno),
          "must be a file that this user can read");
  require(content == Content::open || (found.st_mode & 077) == 0, "a file that others may read",
          "is a secret: chmod 600 it");
  std::string text(longest, '\0');
  file.read(text.data(), longest);
  text.resize(static_cast<std::size_t>(file.gcount()));
  require(text.size() < longest, "a long file", "must be shorter than 64 KiB");
  return text;
}

/// The secret seed that a replica signs with. Throws ConfigError.
inline Key load_key(const std::string& path) {
  std::string text = read_file(path, Content::secret);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto is_digit = [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
  };
  Key key{};
  if (text.size() != 2 * key.size() || !std::all_of(text.begin(), text.end(), is_digit))
    throw mirbft::ConfigError(path, "no key",
                              "must hold 64 hexadecimal digits: the seed of an Ed25519 key");
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  return key;
}

/// What a replica shows in TLS. Throws ConfigError.
inline mirbft::TlsIdentity load_identity(const Config& config) {
  const std::string certificate = read_file(config.certificate_file, Content::open);
  const std::string key = read_file(config.certificate_key_file, Content::secret);
  try {
    return mirbft::TlsIdentity::from_pem(certificate, key);
  } catch (const mirbft::ConfigError& error) {
    const bool is_key = error.field() == "key";
    throw mirbft::ConfigError(is_key ? config.certificate_key_file : config.certificate_file,
                              error.value(), error.rule());
  }
}

namespace detail {

inline void check_listen_host(const Config& config) {
  std::array<std::uint8_t, sizeof(in6_addr)> address{};
  if (config.listen_host.empty() ||
      ::inet_pton(AF_INET, config.listen_host.c_str(), address.data()) == 1 ||
      ::inet_pton(AF_INET6, config.listen_host.c_str(), address.data()) == 1)
    return;
  throw mirbft::ConfigError("listen_host", '"' + config.listen_host + '"',
                            "must be an IP address of this machine, 0.0.0.0 or :: for all of "
                            "them, or empty for the member's host");
}

inline void check_ports(const Config& config) {
  std::set<std::pair<std::string, std::uint16_t>> taken;
  const auto take = [&](const std::string& field, const std::string& host, std::uint16_t port) {
    if (!taken.emplace(host, port).second)
      throw mirbft::ConfigError(field, std::to_string(port),
                                "is taken by another line of this file: choose another port");
  };
  for (const Member& member : config.members) {
    const std::string of = " of member " + std::to_string(member.id.value);
    for (const auto& [field, port] :
         {std::pair("port", member.port), std::pair("client_port", member.client_port)}) {
      if (port == 0)
        throw mirbft::ConfigError(field + of, "0", "must be where it listens: from 1 to 65535");
      take(field + of, listen_host(config, member), port);
    }
  }
  if (config.http_port == 0) return;
  const auto is_taken = [&](const std::string& everywhere) {
    return config.listen_host == everywhere && taken.contains({everywhere, config.http_port});
  };
  take("http_port", is_taken("0.0.0.0") || is_taken("::") ? config.listen_host : config.http_host,
       config.http_port);
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
  const mirbft::TlsConfig net = net_config(config, load_identity(config));
  mirbft::validate(net.tcp);
  (void)mirbft::pins_of(net);
  mirbft::validate(client_port_config(config));
  if (config.service != key_value_service && config.service != redis_service)
    throw mirbft::ConfigError("service", '"' + config.service + '"',
                              std::string("must be ") + key_value_service + " or " +
                                  redis_service);
  if (config.segment_kib < 1 || config.segment_kib > 1 << 20)
    throw mirbft::ConfigError("segment_kib", std::to_string(config.segment_kib),
                              "must be from 1 to 1048576: 65536 is good");
  detail::check_listen_host(config);
  check_memory(config);
  detail::check_ports(config);
  detail::check_keys(config);
}

}  // namespace kv

#endif
