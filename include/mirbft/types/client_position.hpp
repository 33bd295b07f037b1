// Where a client stands with its request numbers, as a replica sees it.
#ifndef MIRBFT_TYPES_CLIENT_POSITION_HPP
#define MIRBFT_TYPES_CLIENT_POSITION_HPP

#include <limits>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/id.hpp>

namespace mirbft {

/// No window ever holds this number: a request under it is refused, and the refusal says where the
/// client stands.
inline constexpr ReqNo never_valid{std::numeric_limits<std::uint64_t>::max()};

/// The result of a `Replied` with `rejected_window`, encoded by `wire::encode`.
struct ClientPosition {
  /// Every number below is delivered.
  ReqNo low;
  /// This number and those above it the replica has not seen.
  ReqNo next;

  friend bool operator==(const ClientPosition&, const ClientPosition&) = default;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ClientPosition, low, next);

#endif
