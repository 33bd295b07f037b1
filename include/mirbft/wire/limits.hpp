// What a decoder accepts: how strictly it reads, what it may spend, and why it refuses.
#ifndef MIRBFT_WIRE_LIMITS_HPP
#define MIRBFT_WIRE_LIMITS_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mirbft::wire {

/// How strictly bytes are read.
enum class Form : std::uint8_t {
  lenient,    ///< as protobuf's own parser does: for logs, which a later version may have written
  canonical,  ///< only what `encode` makes: for whatever comes from the network
};

/// What a decoder may spend on one input. An element of a vector may take two bytes on the wire and
/// a hundred in memory, so the length of the input alone does not bound what is allocated.
struct Limits {
  std::size_t bytes = std::size_t{1} << 30;    ///< longest input; never over 2 GiB
  std::size_t memory = std::size_t{1} << 26;   ///< bytes for the elements of all vectors together
  std::uint32_t depth = 100;                   ///< messages within messages
};

/// Why bytes were refused.
enum class DecodeError : std::uint8_t {
  none,
  malformed,      ///< no protobuf message: cut off, a bad wire type or length, field number 0
  oversized_tag,  ///< a tag of more than 32 bits, which some parsers cut
  limit,          ///< longer, deeper or larger in memory than allowed
  range,          ///< a number that its member cannot hold
  length,         ///< a byte string that is not as long as its type
  text,           ///< a string that is not UTF-8
  no_choice,      ///< a variant of which no known alternative is set
  not_canonical,  ///< readable, but not what `encode` makes of it
};

/// The error in words, for messages to people.
constexpr std::string_view to_string(DecodeError error) noexcept {
  switch (error) {
    case DecodeError::none: return "no error";
    case DecodeError::malformed: return "not a protobuf message";
    case DecodeError::oversized_tag: return "a tag of more than 32 bits";
    case DecodeError::limit: return "longer, deeper or larger in memory than allowed";
    case DecodeError::range: return "a number out of range";
    case DecodeError::length: return "a byte string of a wrong length";
    case DecodeError::text: return "a string that is not UTF-8";
    case DecodeError::no_choice: return "no known alternative of a oneof is set";
    case DecodeError::not_canonical: return "not in canonical form";
  }
  return "an unknown error";
}

}  // namespace mirbft::wire

#endif
