// What clients submit and what the protocol orders.
#ifndef MIRBFT_TYPES_REQUEST_HPP
#define MIRBFT_TYPES_REQUEST_HPP

#include <compare>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/shared.hpp>

namespace mirbft {

/// A client's request as it arrives: its body, and the client's signature over it
/// (`wire::request_signature_bytes`) or over a batch that it is in (`wire::BatchAuthenticator`).
struct Request {
  ClientId client;
  ReqNo req_no;
  Bytes data;
  Bytes authenticator;

  friend bool operator==(const Request&, const Request&) = default;
};

/// A request named by who, which and what; the protocol orders these and never sees a body.
struct RequestRef {
  ClientId client;
  ReqNo req_no;
  Digest digest;

  friend auto operator<=>(const RequestRef&, const RequestRef&) = default;
};

/// What is decided for one sequence number. Shared, since the proposal, the vote, the delivery
/// and the message all hold it.
using Batch = Shared<std::vector<RequestRef>>;

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::Request, client, req_no, data, authenticator);
BOOST_HANA_ADAPT_STRUCT(mirbft::RequestRef, client, req_no, digest);

#endif
