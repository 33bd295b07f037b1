// What a client port is told, what it allows, and what it reports.
#ifndef MIRBFT_CLIENT_CLIENT_PORT_CONFIG_HPP
#define MIRBFT_CLIENT_CLIENT_PORT_CONFIG_HPP

#include <chrono>
#include <cstdint>
#include <string>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/client/link_end.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// How much of a port somebody uses, or may use at most.
struct PortShare {
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;       ///< that wait for their answers, also of lost connections
  std::uint64_t request_bytes = 0;  ///< of those
  std::uint64_t answer_bytes = 0;   ///< that wait until they are read
};

/// The configuration of a `ClientPort`.
struct ClientPortConfig {
  NodeId self;
  std::string cluster_id;
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;  ///< 0: any free port; `ClientPort::port` says which

  /// Of all together.
  PortShare total{4'096, 1 << 16, 256U << 20, 256U << 20};
  /// Of each IP address; in IPv6 of each /64, since whoever has one has all of it.
  PortShare per_address{1'024, 1 << 15, 128U << 20, 128U << 20};
  /// Of each client. Its name is not proven by a Hello, so this holds at each address by itself:
  /// strangers elsewhere cannot use it up.
  PortShare per_client{16, 8'192, 32U << 20, 32U << 20};

  std::chrono::milliseconds hello_within{5'000};  ///< handshake included
  std::chrono::milliseconds ping_after{2'000};    ///< of having written nothing
  std::chrono::milliseconds dead_after{6'000};    ///< of having read nothing
  std::chrono::milliseconds close_within{500};    ///< for the last answers
};

/// Why requests were refused, by the limit that was reached; each was answered `overloaded`.
struct PortRefusals {
  std::uint64_t port_full = 0;
  std::uint64_t address_full = 0;
  std::uint64_t client_full = 0;
  std::uint64_t replica_full = 0;  ///< the Node itself took no more
};

/// What a `ClientPort` has done since it was made.
struct ClientPortStatus {
  PortShare used;  ///< at present, by all together
  std::uint64_t addresses = 0;
  std::uint64_t clients = 0;
  std::uint64_t accepted = 0;  ///< connections
  std::uint64_t submitted = 0;  ///< requests given to the Node
  std::uint64_t held_back = 0;  ///< for another request under the same number to be answered
  std::uint64_t answered = 0;
  std::uint64_t dropped_answers = 0;  ///< their connection was gone
  std::uint64_t too_long_answers = 0;  ///< told as results that nobody remembers
  PortRefusals refused;
  LinkEnds ended;
  std::string last_end;  ///< the latest end of a connection, with the address; empty: none yet
};

/// Throws `ConfigError` unless a port can work with this configuration.
inline void validate(const ClientPortConfig& config) {
  const auto require = [](bool holds, const std::string& field, const auto& value,
                          const char* rule) {
    if (!holds) throw ConfigError(field, value, rule);
  };
  require(!config.cluster_id.empty() && config.cluster_id.size() <= 256, "cluster_id",
          '"' + config.cluster_id + '"', "must have 1 to 256 bytes, the same on all replicas");
  const auto holds_one = [&](const std::string& share, const PortShare& limit) {
    const auto at_least = [&](const char* field, std::uint64_t value, std::uint64_t least,
                              const char* rule) {
      require(value >= least, share + '.' + field, std::to_string(value), rule);
    };
    at_least("connections", limit.connections, 1, "must be at least 1");
    at_least("requests", limit.requests, 1, "must be at least 1");
    at_least("request_bytes", limit.request_bytes, frame_limit(FrameClass::request),
             "must hold the longest request, 131072");
    at_least("answer_bytes", limit.answer_bytes, 2 * frame_limit(FrameClass::batch),
             "must hold two of the longest answers, 8388608");
  };
  holds_one("total", config.total);
  holds_one("per_address", config.per_address);
  holds_one("per_client", config.per_client);

  const auto positive = [&](const char* field, std::chrono::milliseconds time) {
    require(time.count() > 0, field, std::to_string(time.count()), "must be above 0 milliseconds");
  };
  positive("hello_within", config.hello_within);
  positive("ping_after", config.ping_after);
  require(config.dead_after >= 2 * config.ping_after, "dead_after",
          std::to_string(config.dead_after.count()), "must be at least twice ping_after");
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::PortShare, connections, requests, request_bytes, answer_bytes);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientPortConfig, self, cluster_id, listen_host, listen_port, total,
                        per_address, per_client, hello_within, ping_after, dead_after,
                        close_within);
BOOST_HANA_ADAPT_STRUCT(mirbft::PortRefusals, port_full, address_full, client_full, replica_full);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientPortStatus, used, addresses, clients, accepted, submitted,
                        held_back, answered, dropped_answers, too_long_answers, refused, ended,
                        last_end);

#endif
