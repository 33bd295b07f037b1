// Protobuf's tags: the number of a field and how its value is laid out.
#ifndef MIRBFT_WIRE_TAG_HPP
#define MIRBFT_WIRE_TAG_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include <mirbft/types/shared.hpp>
#include <mirbft/wire/kind.hpp>

namespace mirbft::wire::detail {

inline constexpr std::uint32_t varint_type = 0;
inline constexpr std::uint32_t fixed64_type = 1;
inline constexpr std::uint32_t delimited_type = 2;
inline constexpr std::uint32_t group_type = 3;
inline constexpr std::uint32_t end_group_type = 4;
inline constexpr std::uint32_t fixed32_type = 5;

// No field has this tag, since there is no field number 0.
inline constexpr std::uint32_t end_tag = 0;

constexpr std::uint32_t make_tag(std::uint32_t number, std::uint32_t type) noexcept {
  return number << 3 | type;
}

// How one value of a member is laid out, whether it is alone, optional or repeated.
template <class T>
inline constexpr std::uint32_t wire_type = kind_of<T> == Kind::number ? varint_type
                                                                      : delimited_type;
template <class T>
inline constexpr std::uint32_t wire_type<std::optional<T>> = wire_type<T>;
template <class T>
inline constexpr std::uint32_t wire_type<std::vector<T>> = wire_type<T>;
template <class T>
inline constexpr std::uint32_t wire_type<Shared<T>> = wire_type<T>;

}  // namespace mirbft::wire::detail

#endif
