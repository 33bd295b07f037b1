// Strong integer types: a NodeId is not a SeqNr, and the compiler knows it.
#ifndef MIRBFT_TYPES_ID_HPP
#define MIRBFT_TYPES_ID_HPP

#include <compare>
#include <cstdint>

namespace mirbft {

/// A 64-bit number of one kind. Two kinds (two `Tag`s) neither compare nor convert.
template <class Tag>
struct Id {
  std::uint64_t value = 0;

  constexpr Id() = default;
  explicit constexpr Id(std::uint64_t number) noexcept : value(number) {}

  friend constexpr auto operator<=>(const Id&, const Id&) = default;

  constexpr Id& operator++() noexcept {
    ++value;
    return *this;
  }
  friend constexpr Id operator+(Id id, std::uint64_t distance) noexcept {
    return Id(id.value + distance);
  }
  /// Distance between two numbers of a kind; wraps below zero, so compare first.
  friend constexpr std::uint64_t operator-(Id left, Id right) noexcept {
    return left.value - right.value;
  }
};

/// A replica, a member of the cluster.
using NodeId = Id<struct NodeTag>;
/// A client, whose requests are numbered by itself.
using ClientId = Id<struct ClientTag>;
/// A client's number for one of its requests; counts from 0.
using ReqNo = Id<struct ReqNoTag>;
/// Place in the total order; counts from 0, without gaps.
using SeqNr = Id<struct SeqNrTag>;
/// A run of consecutive sequence numbers with one set of leaders (ISS, section 2.3).
using Epoch = Id<struct EpochTag>;
/// Number of the primary's term in one segment (PBFT, section 4).
using View = Id<struct ViewTag>;
/// The write-ahead log may drop every entry whose retention index is below the truncation's.
using RetentionIndex = Id<struct RetentionIndexTag>;

}  // namespace mirbft

#endif
