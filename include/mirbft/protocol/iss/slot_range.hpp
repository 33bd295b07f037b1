// The sequence numbers of one segment, which an orderer counts from 0 as places.
#ifndef MIRBFT_PROTOCOL_ISS_SLOT_RANGE_HPP
#define MIRBFT_PROTOCOL_ISS_SLOT_RANGE_HPP

#include <cstdint>
#include <optional>

#include <mirbft/types/id.hpp>

namespace mirbft::iss {

/// Every `stride`-th number from `first` on.
struct SlotRange {
  SeqNr first;
  std::uint64_t stride = 1;
  std::uint32_t count = 0;

  SeqNr sn_of(std::uint32_t place) const noexcept { return first + place * stride; }
  /// None for a number of another segment.
  std::optional<std::uint32_t> place_of(SeqNr sn) const noexcept {
    const std::uint64_t distance = sn - first;
    if (sn < first || distance % stride != 0 || distance / stride >= count) return std::nullopt;
    return static_cast<std::uint32_t>(distance / stride);
  }
};

}  // namespace mirbft::iss

#endif
