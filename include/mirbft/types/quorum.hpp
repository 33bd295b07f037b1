// How many replicas must agree.
#ifndef MIRBFT_TYPES_QUORUM_HPP
#define MIRBFT_TYPES_QUORUM_HPP

#include <cstddef>

namespace mirbft {

/// The quorum sizes of a cluster of `n` members, of which `faulty()` may be Byzantine.
/// Never `2f+1`: with n = 6 two sets of three could be disjoint (protocol, section 0).
class Quorum {
 public:
  explicit constexpr Quorum(std::size_t members) noexcept : members_(members) {}

  constexpr std::size_t members() const noexcept { return members_; }
  /// f: how many members may fail in any way.
  constexpr std::size_t faulty() const noexcept { return members_ == 0 ? 0 : (members_ - 1) / 3; }
  /// q: any two strong quorums share a correct member.
  constexpr std::size_t strong() const noexcept { return (members_ + faulty()) / 2 + 1; }
  /// w: a weak quorum holds at least one correct member.
  constexpr std::size_t weak() const noexcept { return faulty() + 1; }

 private:
  std::size_t members_;
};

}  // namespace mirbft

#endif
