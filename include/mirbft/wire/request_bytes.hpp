// What is hashed of a client's request, and what the client signs.
#ifndef MIRBFT_WIRE_REQUEST_BYTES_HPP
#define MIRBFT_WIRE_REQUEST_BYTES_HPP

#include <cstdint>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/canonical.hpp>

namespace mirbft::wire {

/// What stands in front of a request's body when it is hashed. The size makes the two together
/// unambiguous.
struct RequestHeader {
  ClientId client;
  ReqNo req_no;
  std::uint64_t size = 0;
};

}  // namespace mirbft::wire

BOOST_HANA_ADAPT_STRUCT(mirbft::wire::RequestHeader, client, req_no, size);

namespace mirbft::wire {

/// The bytes whose hash is a request's digest, in two parts: the header and the body itself,
/// which is not copied.
inline std::vector<Bytes> request_parts(ByteView cluster, ClientId client, ReqNo req_no,
                                        Bytes data) {
  std::vector<Bytes> parts;
  parts.reserve(2);
  parts.push_back(canonical("request", cluster, RequestHeader{client, req_no, data.size()}));
  parts.push_back(std::move(data));
  return parts;
}

/// What a client signs to submit a request. The reference holds the digest, and so the body.
inline Bytes request_signature_bytes(ByteView cluster, const RequestRef& reference) {
  return canonical("request signature", cluster, reference);
}

}  // namespace mirbft::wire

#endif
