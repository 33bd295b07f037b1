// Events for the Hasher and its answers.
#ifndef MIRBFT_EVENTS_HASHER_HPP
#define MIRBFT_EVENTS_HASHER_HPP

#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/reflect.hpp>

namespace mirbft {

/// The digest of a `HashRequest`, routed to the module that its origin names.
template <class Origin>
struct HashResult {
  using origin_type = Origin;
  static constexpr auto destination = Origin::module;
  static constexpr std::uint32_t number = family_number(2, Origin::number);

  Digest digest;
  Origin origin;
};

/// Asks for the hash of the concatenation of `parts`. They are parts only to save copying: make
/// them one unambiguous string with `wire::canonical`.
template <class Origin>
struct HashRequest {
  using origin_type = Origin;
  static constexpr auto destination = slot::hasher;
  static constexpr std::uint32_t number = family_number(1, Origin::number);
  using answer = HashResult<Origin>;

  std::vector<Bytes> parts;
  Origin origin;
};

}  // namespace mirbft

MIRBFT_ADAPT_TEMPLATE(mirbft::HashResult, digest, origin);
MIRBFT_ADAPT_TEMPLATE(mirbft::HashRequest, parts, origin);

#endif
