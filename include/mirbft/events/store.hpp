// Events for the Store, which keeps the bodies of requests.
#ifndef MIRBFT_EVENTS_STORE_HPP
#define MIRBFT_EVENTS_STORE_HPP

#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft {

/// Keeps a request whose signature is verified; follow-ups run once it is durable.
struct StoreVerifiedRequest {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 21;

  RequestRef reference;
  Bytes data;
  Bytes authenticator;
};

/// What the Store has of the requests that were asked for.
template <class Origin>
struct RequestsFetched {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(8, Origin::number);

  /// Those that are there, in the order of the request.
  std::vector<Request> found;
  std::vector<RequestRef> absent;
  Origin origin;
};

/// Asks for the bodies of requests.
template <class Origin>
struct FetchRequests {
  using origin_type = Origin;
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = family_number(7, Origin::number);
  using answer = RequestsFetched<Origin>;

  std::vector<RequestRef> references;
  Origin origin;
};

/// A sequence number is decided and it is its turn; the Store resolves the references and sends
/// `Apply` on to the App. Every body must be there.
struct Deliver {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 6;

  SeqNr sn;
  Batch batch;
};

/// Forgets what a stable checkpoint covers.
struct CollectRequests {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 11;

  Collection collection;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::RequestsFetched, found, absent, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::FetchRequests, references, origin);
BOOST_HANA_ADAPT_STRUCT(mirbft::StoreVerifiedRequest, reference, data, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::Deliver, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::CollectRequests, collection);

#endif
