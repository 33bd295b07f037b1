// How many bytes of answers each peer may have at a time.
#ifndef MIRBFT_PROTOCOL_ISS_ALLOWANCE_HPP
#define MIRBFT_PROTOCOL_ISS_ALLOWANCE_HPP

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mirbft/protocol/iss/cluster.hpp>

namespace mirbft::iss {

/// Bytes of answers that a peer may have between two calls of `refill`: a small question must not
/// bring a huge answer for ever (protocol, section 10).
inline constexpr std::uint64_t answer_allowance = 32u << 20;

/// Counts the bytes sent to each member. An answer may go beyond what is left, the next one waits.
class Allowance {
 public:
  explicit Allowance(std::size_t members) : spent_(members) {}

  /// From time to time: peers may ask again.
  void refill() { spent_.assign(spent_.size(), 0); }
  void spend(Member whom, std::uint64_t bytes) { spent_[whom.index] += bytes; }
  bool is_spent(Member whom) const { return spent_[whom.index] >= answer_allowance; }

 private:
  std::vector<std::uint64_t> spent_;
};

}  // namespace mirbft::iss

#endif
