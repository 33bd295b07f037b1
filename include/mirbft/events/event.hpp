// What an event is: a reflected struct with a destination and a stable number.
#ifndef MIRBFT_EVENTS_EVENT_HPP
#define MIRBFT_EVENTS_EVENT_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace mirbft {

/// A place for a module in a Node, or several of them (`slot::tracker | slot::protocol`).
class Slot {
 public:
  constexpr explicit Slot(std::uint16_t bits) noexcept : bits_(bits) {}

  friend constexpr Slot operator|(Slot left, Slot right) noexcept {
    return Slot(static_cast<std::uint16_t>(left.bits_ | right.bits_));
  }
  friend constexpr bool operator==(Slot, Slot) = default;

  constexpr bool includes(Slot other) const noexcept { return (bits_ & other.bits_) != 0; }
  constexpr bool is_single() const noexcept { return std::has_single_bit(bits_); }
  constexpr std::uint16_t bits() const noexcept { return bits_; }
  /// Place of a single slot in the order of dispatch.
  constexpr std::size_t index() const noexcept {
    return static_cast<std::size_t>(std::countr_zero(bits_));
  }

 private:
  std::uint16_t bits_;
};

/// The slots that events are sent to, in the order in which `process()` visits their lists.
namespace slot {
inline constexpr Slot tracker{1 << 0};
inline constexpr Slot hasher{1 << 1};
inline constexpr Slot crypto{1 << 2};
inline constexpr Slot store{1 << 3};
inline constexpr Slot protocol{1 << 4};
inline constexpr Slot wal{1 << 5};
inline constexpr Slot app{1 << 6};
inline constexpr Slot net{1 << 7};
/// The Node itself: replies to its callers, and orders to stop.
inline constexpr Slot node{1 << 8};
inline constexpr Slot all{(1 << 8) - 1};
}  // namespace slot

inline constexpr std::size_t slot_count = 9;
inline constexpr const char* slot_names[slot_count] = {
    "tracker", "hasher", "crypto", "store", "protocol", "wal", "app", "net", "node"};

/// A list of event types: `using consumes = events<Tick, MessageReceived<Message>>;`
template <class... Events>
struct events {};

/// Lists as one: for a module that is made of parts, each with its own events.
template <class... Lists>
struct Joined;
template <class... Es>
struct Joined<events<Es...>> {
  using type = events<Es...>;
};
template <class... As, class... Bs, class... Rest>
struct Joined<events<As...>, events<Bs...>, Rest...> : Joined<events<As..., Bs...>, Rest...> {};
template <class... Lists>
using joined = typename Joined<Lists...>::type;

/// Whether a list holds `E`.
template <class E, class List>
inline constexpr bool is_listed = false;
template <class E, class... Es>
inline constexpr bool is_listed<E, events<Es...>> = (std::is_same_v<E, Es> || ...);

/// Numbers of event templates: a family's number above, its origin's or entry's below, so that
/// `HashRequest<MyOrigin>` keeps its number whoever else asks for hashes.
///
/// The library's plain events have numbers below 1000, users' events from 1000 to 18999 (protobuf
/// keeps 19000 to 19999 for itself); origins and WAL entries of the library are below 1000, users'
/// from 1000 up to 65535.
constexpr std::uint32_t family_number(std::uint32_t family, std::uint32_t member) noexcept {
  return family << 16 | member;
}

}  // namespace mirbft

#endif
