// What a client is told, and how its requests end.
#ifndef MIRBFT_CLIENT_CLIENT_CONFIG_HPP
#define MIRBFT_CLIENT_CLIENT_CONFIG_HPP

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/client/link_end.hpp>
#include <mirbft/client/reply_quorum.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>

namespace mirbft {

/// Where a replica takes clients' requests: the address of its `ClientPort`.
struct ReplicaAddress {
  NodeId id;
  std::string host;        ///< an IP address, or a name, which is looked up at each attempt
  std::uint16_t port = 0;
};

/// The configuration of a `Client`.
struct ClientConfig {
  std::string cluster_id;
  ClientId id;
  std::vector<ReplicaAddress> replicas;  ///< all of the cluster, once each

  std::uint64_t send_to = 0;  ///< how many replicas are asked first; 0: all
  std::uint64_t max_open = 1024;  ///< requests that wait for their end at a time
  std::uint64_t max_request_bytes = 64 * 1024;  ///< as the replicas' Trackers have it
  std::chrono::milliseconds retry_after{2'000};  ///< until all replicas are asked
  std::chrono::milliseconds deadline{30'000};    ///< of a request that is given none

  std::uint64_t queue_bytes = 8U << 20;  ///< most that waits for one replica to read it
  std::chrono::milliseconds reconnect_first{50};  ///< longest pause after the first failure
  std::chrono::milliseconds reconnect_longest{5'000};
  std::chrono::milliseconds healthy_after{10'000};  ///< so old a connection resets the pause
  std::chrono::milliseconds ping_after{2'000};      ///< of having written nothing
  std::chrono::milliseconds dead_after{6'000};      ///< of having read nothing
  std::chrono::milliseconds hello_within{5'000};    ///< connecting included
};

/// How a request of a `Client` ended.
enum class ClientEnd : std::uint8_t {
  /// w replicas say the same: this is the result, and this its place in the order.
  delivered,
  /// It is certainly delivered, but no replica remembers its result any longer.
  forgotten,
  /// w replicas refuse it for the same reason, so one that is correct does.
  rejected,
  /// All replicas had too much to do until the deadline; or the client itself has, at once.
  overloaded,
  /// The deadline came first. The cluster may have delivered it, or may yet.
  timed_out,
  /// The client was shut down first. The same holds.
  shut_down,
};

constexpr std::string_view to_string(ClientEnd end) noexcept {
  switch (end) {
    case ClientEnd::delivered: return "delivered";
    case ClientEnd::forgotten: return "delivered, but no replica remembers the result";
    case ClientEnd::rejected: return "rejected";
    case ClientEnd::overloaded: return "overloaded: try again later";
    case ClientEnd::timed_out: return "timed out: outcome unknown";
    case ClientEnd::shut_down: return "the client was shut down: outcome unknown";
  }
  return "unknown";
}

/// What became of a request.
struct ClientReply {
  ClientEnd end = ClientEnd::shut_down;
  /// Why, if it was rejected.
  Outcome reason = Outcome::delivered;
  /// Where it was delivered, and with which result, if it was and that is known.
  SeqNr sn;
  Bytes result;

  friend bool operator==(const ClientReply&, const ClientReply&) = default;
};

/// What a `Client` has done since it was made.
struct ClientStatus {
  std::uint64_t connected = 0;  ///< replicas that it can talk to at present
  std::uint64_t waiting = 0;    ///< requests that have no number yet
  std::uint64_t open = 0;       ///< numbers that wait for their end
  std::uint64_t next = 0;       ///< the next number, once it is known
  std::uint64_t delivered = 0;
  std::uint64_t forgotten = 0;
  std::uint64_t rejected = 0;
  std::uint64_t overloaded = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t filled = 0;         ///< numbers that an empty request closed
  std::uint64_t submissions = 0;    ///< requests given to replicas, the next ones included
  std::uint64_t retries = 0;        ///< to ask again after a time-out or a refusal
  std::uint64_t queue_full = 0;     ///< not given to a replica that does not read fast enough
  std::uint64_t stray_answers = 0;  ///< to what was not asked, or does not wait any more
  ReplyQuorumStatus answers;
  LinkEnds ended;
  std::string last_end;  ///< the latest end of a connection in words; empty: none yet
};

/// Throws `ConfigError` unless a client can work with this configuration.
inline void validate(const ClientConfig& config) {
  const auto require = [](bool holds, const char* field, const auto& value, const char* rule) {
    if (!holds) throw ConfigError(field, value, rule);
  };
  require(!config.cluster_id.empty() && config.cluster_id.size() <= 256, "cluster_id",
          '"' + config.cluster_id + '"', "must have 1 to 256 bytes, the same as the replicas'");
  require(!config.replicas.empty(), "replicas", "[]", "is empty; name all replicas");
  std::set<NodeId> ids;
  for (const ReplicaAddress& replica : config.replicas) {
    const std::string id = std::to_string(replica.id.value);
    require(ids.insert(replica.id).second, "replicas.id", id, "stands twice; name each once");
    require(!replica.host.empty(), "replicas.host", "\"\"",
            "is empty; give an IP address or a name");
    require(replica.port != 0, "replicas.port", "0", "must be the replica's port for clients");
  }
  const std::uint64_t count = config.replicas.size();
  require(config.send_to == 0 ||
              (config.send_to >= Quorum(count).weak() && config.send_to <= count),
          "send_to", std::to_string(config.send_to),
          "must be 0, for all, or from f+1 to the number of replicas");
  require(config.max_open >= 1 && config.max_open <= 1 << 16, "max_open",
          std::to_string(config.max_open), "must be from 1 to 65536");
  constexpr std::size_t longest = frame_limit(FrameClass::request);
  constexpr std::size_t beside_body = TrackerConfig::max_authenticator_bytes + 256;
  require(config.max_request_bytes >= 1 && config.max_request_bytes <= longest - beside_body,
          "max_request_bytes", std::to_string(config.max_request_bytes),
          "must be from 1 to 126720, so that a request and its authenticator fit into a frame");
  require(config.queue_bytes >= 2 * longest, "queue_bytes", std::to_string(config.queue_bytes),
          "must hold two of the longest frames, 262144");

  const auto positive = [&](const char* field, std::chrono::milliseconds time) {
    require(time.count() > 0, field, std::to_string(time.count()), "must be above 0 milliseconds");
  };
  positive("retry_after", config.retry_after);
  positive("deadline", config.deadline);
  positive("reconnect_first", config.reconnect_first);
  positive("ping_after", config.ping_after);
  positive("hello_within", config.hello_within);
  require(config.reconnect_longest >= config.reconnect_first, "reconnect_longest",
          std::to_string(config.reconnect_longest.count()), "must be at least reconnect_first");
  require(config.dead_after >= 2 * config.ping_after, "dead_after",
          std::to_string(config.dead_after.count()), "must be at least twice ping_after");
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ReplicaAddress, id, host, port);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientConfig, cluster_id, id, replicas, send_to, max_open,
                        max_request_bytes, retry_after, deadline, queue_bytes, reconnect_first,
                        reconnect_longest, healthy_after, ping_after, dead_after, hello_within);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientReply, end, reason, sn, result);
BOOST_HANA_ADAPT_STRUCT(mirbft::ClientStatus, connected, waiting, open, next, delivered, forgotten,
                        rejected, overloaded, timed_out, filled, submissions, retries, queue_full,
                        stray_answers, answers, ended, last_end);

#endif
