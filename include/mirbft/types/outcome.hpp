// How the submission of a request ended.
#ifndef MIRBFT_TYPES_OUTCOME_HPP
#define MIRBFT_TYPES_OUTCOME_HPP

#include <cstdint>
#include <string_view>

namespace mirbft {

/// What became of a request. Only `delivered` carries a result; after `shut_down` it is unknown
/// whether the cluster delivers the request, so retry with the same number.
enum class Outcome : std::uint8_t {
  delivered,
  already_delivered,
  rejected_signature,
  rejected_size,
  rejected_window,
  rejected_conflict,
  overloaded,
  shut_down,
};

constexpr std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::delivered: return "delivered";
    case Outcome::already_delivered: return "already delivered";
    case Outcome::rejected_signature: return "rejected: the signature does not verify";
    case Outcome::rejected_size: return "rejected: the request is larger than the limit";
    case Outcome::rejected_window: return "rejected: the number is outside the client's window";
    case Outcome::rejected_conflict: return "rejected: the number holds another request";
    case Outcome::overloaded: return "overloaded: try again later";
    case Outcome::shut_down: return "the node shut down: outcome unknown";
  }
  return "unknown";
}

}  // namespace mirbft

#endif
