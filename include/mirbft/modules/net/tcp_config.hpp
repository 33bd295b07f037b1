// What a net of TCP connections is told, what it reports, and why it ends a connection.
#ifndef MIRBFT_MODULES_NET_TCP_CONFIG_HPP
#define MIRBFT_MODULES_NET_TCP_CONFIG_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Where another node listens.
struct TcpPeer {
  NodeId id;
  std::string host;        ///< an IP address, or a name, which is looked up at each attempt
  std::uint16_t port = 0;  ///< 0: not known yet; see `TcpNet::set_peer_address`
};

/// The configuration of a `TcpNet`.
struct TcpConfig {
  NodeId self;
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;  ///< 0: any free port; `TcpNet::port` says which
  std::vector<TcpPeer> peers;     ///< an entry for `self` is skipped, so all may have one list
  std::string cluster_id;         ///< connections of nodes with different ones are refused

  std::uint64_t queue_bytes = 32U << 20;  ///< most that waits for one peer
  std::chrono::milliseconds reconnect_first{50};   ///< longest pause after the first failure
  std::chrono::milliseconds reconnect_longest{5'000};
  std::chrono::milliseconds healthy_after{10'000};  ///< so old a connection resets the pause
  std::chrono::milliseconds ping_after{2'000};      ///< of having written nothing
  std::chrono::milliseconds dead_after{6'000};      ///< of having read nothing
  std::chrono::milliseconds hello_within{5'000};    ///< connecting and handshake included
  std::chrono::milliseconds close_within{500};      ///< longest stay in `close`

  /// Of what all nodes of the cluster must be told alike; connections of nodes with different ones
  /// are refused.
  Digest configuration{};
};

/// Which end of a connection this node is.
enum class Side : std::uint8_t { dialed, accepted };

/// How many connections ended, by reason.
struct TcpEnds {
  std::uint64_t lost = 0;           ///< closed by the other side, or by a failure between
  std::uint64_t failed = 0;         ///< could not be made
  std::uint64_t silent = 0;         ///< nothing was read for `dead_after`
  std::uint64_t no_hello = 0;       ///< no Hello for `hello_within`
  std::uint64_t bad_hello = 0;      ///< something else in its place, unreadable, or a second one
  std::uint64_t wrong_version = 0;  ///< a different version of the protocol
  std::uint64_t wrong_cluster = 0;  ///< a different cluster id
  std::uint64_t stranger = 0;       ///< not the node dialed, or no peer with a lower id
  std::uint64_t unknown_kind = 0;   ///< a frame of no known class
  std::uint64_t too_long = 0;       ///< a frame beyond the limit of its class
  std::uint64_t replaced = 0;       ///< the peer made a new connection, or has a new address
  std::uint64_t wrong_configuration = 0;  ///< a different `TcpConfig::configuration`
  std::uint64_t crowded_out = 0;          ///< too many others came before its Hello

  // The rest happens only with TLS.
  std::uint64_t not_tls = 0;            ///< something else came, such as plaintext
  std::uint64_t old_tls = 0;            ///< the other side cannot do TLS 1.3
  std::uint64_t no_certificate = 0;     ///< the other side showed none
  std::uint64_t wrong_certificate = 0;  ///< one that is pinned for no peer, or not for this one
  std::uint64_t turned_away = 0;        ///< the other side did not take this node's certificate
  std::uint64_t slow_handshake = 0;     ///< no TLS handshake for `hello_within`
  std::uint64_t bad_tls = 0;            ///< any other breach of TLS, at any time
  std::uint64_t withdrawn = 0;          ///< the peer's certificate is no longer pinned
};

/// A peer that frames do not flow to and from.
struct TcpAbsence {
  NodeId node;
  std::string why;  ///< what became of the last attempt
};

/// What a `TcpNet` has done since it was made. Bytes are those of payloads.
struct TcpStatus {
  std::uint64_t connected = 0;  ///< peers that frames flow to and from at present
  std::uint64_t queued_bytes = 0;
  std::uint64_t frames_sent = 0;  ///< given to a connection
  std::uint64_t bytes_sent = 0;
  std::uint64_t frames_received = 0;  ///< given to the sink of `poll`
  std::uint64_t bytes_received = 0;
  std::uint64_t dropped_votes = 0;  ///< for want of room in the queue; likewise the next three
  std::uint64_t dropped_batches = 0;
  std::uint64_t dropped_chunks = 0;
  std::uint64_t dropped_requests = 0;
  std::uint64_t cut_off = 0;  ///< sent on a connection that ended meanwhile; some may have arrived
  std::uint64_t refused = 0;  ///< to no peer, longer than its class allows, or after `close`
  TcpEnds ended;
  std::string last_end;  ///< the latest reason in words, with the address; empty: none yet
  std::vector<TcpAbsence> absent;
  /// Whoever dialed this node last without proving to be a peer: from where, and why it was
  /// refused. A peer with a certificate that nobody has pinned here is only found there.
  std::string last_refused;
};

/// Why a connection ends: its counter and its words.
struct TcpEnd {
  std::uint64_t TcpEnds::*counter;
  std::string_view text;

  static const TcpEnd lost, failed, silent, no_hello, bad_hello, wrong_version, wrong_cluster,
      stranger, unknown_kind, too_long, replaced, wrong_configuration, crowded_out, not_tls,
      old_tls, no_certificate, wrong_certificate, turned_away, slow_handshake, bad_tls, withdrawn;
};

inline constexpr TcpEnd TcpEnd::lost{&TcpEnds::lost, "the connection was lost"};
inline constexpr TcpEnd TcpEnd::failed{&TcpEnds::failed, "no connection could be made"};
inline constexpr TcpEnd TcpEnd::silent{&TcpEnds::silent, "the peer was silent for too long"};
inline constexpr TcpEnd TcpEnd::no_hello{&TcpEnds::no_hello, "no Hello came in time"};
inline constexpr TcpEnd TcpEnd::bad_hello{&TcpEnds::bad_hello, "the Hello was not understood"};
inline constexpr TcpEnd TcpEnd::wrong_version{
    &TcpEnds::wrong_version, "the other side speaks a different version of the protocol"};
inline constexpr TcpEnd TcpEnd::wrong_cluster{
    &TcpEnds::wrong_cluster, "the other side belongs to a different cluster"};
inline constexpr TcpEnd TcpEnd::stranger{
    &TcpEnds::stranger, "the other side is not a peer that is expected here"};
inline constexpr TcpEnd TcpEnd::unknown_kind{
    &TcpEnds::unknown_kind, "a frame of an unknown class came"};
inline constexpr TcpEnd TcpEnd::too_long{
    &TcpEnds::too_long, "a frame came that is longer than its class allows"};
inline constexpr TcpEnd TcpEnd::replaced{&TcpEnds::replaced, "a newer connection took its place"};
inline constexpr TcpEnd TcpEnd::wrong_configuration{
    &TcpEnds::wrong_configuration, "the other side has a different configuration of the cluster"};
inline constexpr TcpEnd TcpEnd::crowded_out{
    &TcpEnds::crowded_out, "too many others came before it said who it is"};
inline constexpr TcpEnd TcpEnd::not_tls{&TcpEnds::not_tls, "the other side does not speak TLS"};
inline constexpr TcpEnd TcpEnd::old_tls{&TcpEnds::old_tls,
                                        "the other side does not speak TLS 1.3"};
inline constexpr TcpEnd TcpEnd::no_certificate{&TcpEnds::no_certificate,
                                               "the other side showed no certificate"};
inline constexpr TcpEnd TcpEnd::wrong_certificate{
    &TcpEnds::wrong_certificate, "the other side showed a certificate that is not pinned for it"};
inline constexpr TcpEnd TcpEnd::turned_away{
    &TcpEnds::turned_away, "the other side does not take the certificate of this node"};
inline constexpr TcpEnd TcpEnd::slow_handshake{&TcpEnds::slow_handshake,
                                               "the TLS handshake took too long"};
inline constexpr TcpEnd TcpEnd::bad_tls{&TcpEnds::bad_tls,
                                        "what came was not by the rules of TLS"};
inline constexpr TcpEnd TcpEnd::withdrawn{&TcpEnds::withdrawn,
                                          "the certificate of the peer was withdrawn"};

/// Throws `ConfigError` unless a net can work with this configuration.
inline void validate(const TcpConfig& config) {
  const auto require = [](bool holds, const char* field, const auto& value, const char* rule) {
    if (!holds) throw ConfigError(field, value, rule);
  };
  require(!config.cluster_id.empty() && config.cluster_id.size() <= 256, "cluster_id",
          '"' + config.cluster_id + '"', "must have 1 to 256 bytes, the same on all nodes");
  constexpr std::size_t longest = frame_limit(FrameClass::batch);
  require(config.queue_bytes >= 2 * longest, "queue_bytes", std::to_string(config.queue_bytes),
          "must hold two of the longest frames, 8388608");
  std::set<NodeId> ids;
  for (const TcpPeer& peer : config.peers) {
    const std::string id = std::to_string(peer.id.value);
    require(ids.insert(peer.id).second, "peers.id", id, "stands twice; name each peer once");
    require(!peer.host.empty(), "peers.host", "\"\"", "is empty; give an IP address or a name");
  }

  const auto positive = [&](const char* field, std::chrono::milliseconds time) {
    require(time.count() > 0, field, std::to_string(time.count()), "must be above 0 milliseconds");
  };
  positive("reconnect_first", config.reconnect_first);
  positive("ping_after", config.ping_after);
  positive("hello_within", config.hello_within);
  require(config.reconnect_longest >= config.reconnect_first, "reconnect_longest",
          std::to_string(config.reconnect_longest.count()), "must be at least reconnect_first");
  require(config.dead_after >= 2 * config.ping_after, "dead_after",
          std::to_string(config.dead_after.count()), "must be at least twice ping_after");
}

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::TcpPeer, id, host, port);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpConfig, self, listen_host, listen_port, peers, cluster_id,
                        queue_bytes, reconnect_first, reconnect_longest, healthy_after, ping_after,
                        dead_after, hello_within, close_within, configuration);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpEnds, lost, failed, silent, no_hello, bad_hello, wrong_version,
                        wrong_cluster, stranger, unknown_kind, too_long, replaced,
                        wrong_configuration, crowded_out, not_tls, old_tls, no_certificate,
                        wrong_certificate, turned_away, slow_handshake, bad_tls, withdrawn);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpAbsence, node, why);
BOOST_HANA_ADAPT_STRUCT(mirbft::TcpStatus, connected, queued_bytes, frames_sent, bytes_sent,
                        frames_received, bytes_received, dropped_votes, dropped_batches,
                        dropped_chunks, dropped_requests, cut_off, refused, ended, last_end, absent,
                        last_refused);

#endif
