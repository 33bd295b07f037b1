// Events for the Tracker, which admits clients' requests.
#ifndef MIRBFT_EVENTS_TRACKER_HPP
#define MIRBFT_EVENTS_TRACKER_HPP

#include <cstdint>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft {

/// Who else has a request that arrives here.
enum class Spread : std::uint8_t {
  /// The client sends it to every replica itself, as the ISS paper assumes.
  by_client,
  /// This replica alone has it and passes it on to the others.
  by_replica,
  /// The Protocol asked for it, because a proposal names it.
  fetched,
  /// Another replica passed it on. Its refusal concerns no caller here: a Byzantine replica may
  /// have made it up, under the number of an honest request.
  relayed,
};

/// Whether no caller of this replica waits for the answer.
constexpr bool is_from_replica(Spread spread) noexcept {
  return spread == Spread::fetched || spread == Spread::relayed;
}

/// A request arrived, from a caller of `submit`, a client's connection, or another replica.
struct NewRequest {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 3;

  Request request;
  Spread spread = Spread::by_client;
};

/// The Crypto module's verdict on a request's signature.
struct RequestSigVerified {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 20;

  RequestRef reference;
  SignatureCheck verdict = SignatureCheck::invalid;
  /// Of this epoch was the key, or of a later one in which it is the same.
  Epoch keys{};
};

/// The App's answer to one request.
struct Reply {
  ClientId client;
  ReqNo req_no;
  Bytes result;

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// The App has applied the batch of a sequence number.
struct Applied {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 8;

  SeqNr sn;
  std::vector<Reply> replies;
};

/// How a replica's App comes to what the windows call delivered: it applies it, so that the replies
/// are on their way; or it was given the state after it, and there are none.
enum class Reached : std::uint8_t { by_applying, by_restoring };

/// An epoch begins: these windows hold until the next one.
struct WindowsMoved {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 10;

  Epoch epoch;
  /// Only the clients that have delivered anything, by ascending id; all others start at 0.
  std::vector<ClientWindow> windows;
  /// The clients whose key is another one from this epoch on, by ascending id: what they have
  /// signed with the old one and is not delivered is void.
  std::vector<ClientId> rekeyed{};
  Reached reached = Reached::by_applying;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::NewRequest, request, spread);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestSigVerified, reference, verdict, keys);
BOOST_HANA_ADAPT_STRUCT(mirbft::Reply, client, req_no, result);
BOOST_HANA_ADAPT_STRUCT(mirbft::Applied, sn, replies);
BOOST_HANA_ADAPT_STRUCT(mirbft::WindowsMoved, epoch, windows, rekeyed, reached);

#endif
