// How many replicas must agree.
#ifndef MIRBFT_TYPES_QUORUM_HPP
#define MIRBFT_TYPES_QUORUM_HPP

#include <cstddef>
#include <cstdint>

namespace mirbft {

/// What a faulty member may do: anything at all, or only stop (and come back with its disk).
enum class Faults : std::uint8_t { byzantine, crash };

/// The quorum sizes of a cluster of `members()`, of which `faulty()` may fail.
/// Never `2f+1`: with n = 6 two sets of three could be disjoint (protocol, section 0).
class Quorum {
 public:
  explicit constexpr Quorum(std::size_t members, Faults faults = Faults::byzantine) noexcept
      : members_(members), faults_(faults) {}

  constexpr std::size_t members() const noexcept { return members_; }
  /// f: how many members may fail. Fewer than a third, or fewer than half if they only stop.
  constexpr std::size_t faulty() const noexcept {
    return members_ == 0 ? 0 : (members_ - 1) / (faults_ == Faults::byzantine ? 3 : 2);
  }
  /// q: any two strong quorums share a member that does not lie.
  constexpr std::size_t strong() const noexcept { return (members_ + liars()) / 2 + 1; }
  /// w: a weak quorum holds at least one member that does not lie.
  constexpr std::size_t weak() const noexcept { return liars() + 1; }

 private:
  constexpr std::size_t liars() const noexcept {
    return faults_ == Faults::byzantine ? faulty() : 0;
  }

  std::size_t members_;
  Faults faults_;
};

}  // namespace mirbft

#endif
