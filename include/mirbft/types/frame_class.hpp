// What kind of thing a frame carries, and so how long it may be.
#ifndef MIRBFT_TYPES_FRAME_CLASS_HPP
#define MIRBFT_TYPES_FRAME_CLASS_HPP

#include <cstddef>
#include <cstdint>

namespace mirbft {

/// The class of a message. When a peer's queue is full the later classes are dropped first.
enum class FrameClass : std::uint8_t { vote, batch, chunk, request };

inline constexpr std::size_t frame_classes = 4;

/// Longest payload of a class in bytes, checked before a receiver allocates.
constexpr std::size_t frame_limit(FrameClass kind) noexcept {
  constexpr std::size_t kib = 1024;
  switch (kind) {
    case FrameClass::vote: return 64 * kib;
    case FrameClass::batch: return 4096 * kib;
    case FrameClass::chunk: return 1024 * kib;
    case FrameClass::request: return 128 * kib;
  }
  return 0;
}

}  // namespace mirbft

#endif
