// What clients and replicas say to each other over a connection.
#ifndef MIRBFT_CLIENT_CLIENT_FRAMES_HPP
#define MIRBFT_CLIENT_CLIENT_FRAMES_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// The frames from a client to a replica: a `ClientHello` first, then `Submission`s. A ping is
/// empty, and a sign of life.
enum class ToReplica : std::uint8_t { submission, hello = 0xf0, ping = 0xf1 };

/// The frames from a replica to a client: a `ReplicaHello` first, then `SubmissionAnswer`s.
enum class ToClient : std::uint8_t { answer, hello = 0xf0, ping = 0xf1 };

/// Longest payload of a kind in bytes; nothing if there is no such kind.
constexpr std::optional<std::size_t> frame_limit(ToReplica kind) noexcept {
  switch (kind) {
    case ToReplica::submission: return frame_limit(FrameClass::request);
    case ToReplica::hello: return 1024;
    case ToReplica::ping: return 0;
  }
  return std::nullopt;
}
constexpr std::optional<std::size_t> frame_limit(ToClient kind) noexcept {
  switch (kind) {
    case ToClient::answer: return frame_limit(FrameClass::batch);
    case ToClient::hello: return 1024;
    case ToClient::ping: return 0;
  }
  return std::nullopt;
}

/// The version of the protocol between clients and replicas.
inline constexpr std::uint32_t client_protocol = 1;

/// The first frame of a client. Its name is not proven by that: what it submits is signed.
struct ClientHello {
  std::uint32_t version = client_protocol;
  std::string cluster_id;
  ClientId client;
};

/// The first frame of a replica.
struct ReplicaHello {
  std::uint32_t version = client_protocol;
  std::string cluster_id;
  NodeId node;
};

/// A client hands in a request. The number is its own for this attempt, which may go to several
/// replicas.
struct Submission {
  std::uint64_t number = 0;
  /// Whether the client gives the request to all replicas, or this one is to pass it on.
  Spread spread = Spread::by_replica;
  Request request;
};

/// What became of the submission with this number, and of no other.
struct SubmissionAnswer {
  std::uint64_t number = 0;
  Replied reply;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ClientHello, version, cluster_id, client);
BOOST_HANA_ADAPT_STRUCT(mirbft::ReplicaHello, version, cluster_id, node);
BOOST_HANA_ADAPT_STRUCT(mirbft::Submission, number, spread, request);
BOOST_HANA_ADAPT_STRUCT(mirbft::SubmissionAnswer, number, reply);

#endif
