// Several variants behind one another in one byte string, and taken apart again.
#ifndef MIRBFT_WIRE_JOINED_HPP
#define MIRBFT_WIRE_JOINED_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/limits.hpp>
#include <mirbft/wire/reader.hpp>

namespace mirbft::wire {

/// Whether the encoding of a `T` shows where it ends: a variant that always holds something is
/// one field with its length.
template <class T>
constexpr bool ends_by_itself() noexcept {
  if constexpr (kind_of<T> == Kind::choice) {
    return !may_be_empty<T>;
  } else {
    return false;
  }
}

/// Encoded values that end by themselves, behind one another.
inline Bytes join(const std::vector<Bytes>& parts) {
  std::size_t size = 0;
  for (const Bytes& part : parts) size += part.size();
  return Bytes::filled(size, [&](std::uint8_t* out) {
    for (const Bytes& part : parts) out = std::copy(part.begin(), part.end(), out);
  });
}

/// Calls `take(const Bytes&)` for each part of what `join` has made, until it returns false.
/// Returns whether all was taken: false too where the bytes end amid a part, or hold more than
/// `most` of them. A part that stands alone shares the storage; each of several is a copy, since
/// who keeps one of them should not keep them all.
template <class Take>
bool split(const Bytes& joined, std::size_t most, Take&& take) {
  detail::Session session{0, 0};
  detail::Reader in(joined.view(), session);
  const std::uint8_t* begin = joined.data();
  for (std::size_t count = 0; begin != joined.end(); ++count) {
    std::uint32_t tag = detail::end_tag;
    ByteView content;
    if (count == most || !in.next_tag(tag) || (tag & 7) != detail::delimited_type ||
        !in.delimited(content))
      return false;
    const std::uint8_t* const end = content.data() + content.size();
    const bool alone = begin == joined.data() && end == joined.end();
    if (!take(alone ? joined : Bytes(ByteView(begin, end)))) return false;
    begin = end;
  }
  return !joined.empty();
}

}  // namespace mirbft::wire

#endif
