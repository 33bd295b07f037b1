// The parts that protobuf messages are made of, read one by one and bounds-checked.
#ifndef MIRBFT_WIRE_READER_HPP
#define MIRBFT_WIRE_READER_HPP

#include <cstdint>
#include <limits>

#include <google/protobuf/io/coded_stream.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/limits.hpp>
#include <mirbft/wire/tag.hpp>

namespace mirbft::wire::detail {

// What is left to spend while one input is read, and the first error.
struct Session {
  std::size_t memory;
  std::uint32_t depth;
  DecodeError error = DecodeError::none;

  bool fail(DecodeError reason) noexcept {
    error = reason;
    return false;
  }
  bool spend(std::size_t count, std::size_t size) noexcept {
    if (count > memory / size) return fail(DecodeError::limit);
    memory -= count * size;
    return true;
  }
  bool enter() noexcept {
    if (depth == 0) return fail(DecodeError::limit);
    --depth;
    return true;
  }
  void leave() noexcept { ++depth; }
};

// Reads the content of one message. A message inside gets a Reader of its own over its part of
// the bytes, so nothing can reach beyond what encloses it. All functions return false, and leave
// the reason in the session, where the bytes do not hold what was asked for.
class Reader {
 public:
  // At most 2 GiB, as protobuf has it.
  Reader(ByteView content, Session& session) noexcept
      : in_(content.data(), static_cast<int>(content.size())), session_(session) {}

  bool at_end() noexcept { return in_.ExpectAtEnd(); }

  // The next field's tag, or `end_tag`.
  bool next_tag(std::uint32_t& tag) {
    if (at_end()) {
      tag = end_tag;
      return true;
    }
    if (!varint32(tag, DecodeError::oversized_tag)) return false;
    return tag >> 3 != 0 || session_.fail(DecodeError::malformed);
  }

  // Takes the next tag if it is the one that is hoped for.
  bool accept(std::uint32_t tag) { return in_.ExpectTag(tag); }

  bool varint(std::uint64_t& value) {
    return in_.ReadVarint64(&value) || session_.fail(DecodeError::malformed);
  }

  // A length and as many bytes.
  bool delimited(ByteView& content) {
    std::uint32_t length = 0;
    return varint32(length, DecodeError::malformed) && take(length, content);
  }

  // A field that nobody here knows.
  bool skip(std::uint32_t tag) {
    ByteView ignored;
    std::uint64_t number = 0;
    switch (tag & 7) {
      case varint_type: return varint(number);
      case fixed64_type: return take(8, ignored);
      case delimited_type: return delimited(ignored);
      case group_type: return skip_group(tag);
      case fixed32_type: return take(4, ignored);
      default: return session_.fail(DecodeError::malformed);
    }
  }

 private:
  // Tags and lengths: five bytes and 32 bits at most. Read as 64 bits, since CodedInputStream
  // silently cuts what it reads as 32.
  bool varint32(std::uint32_t& value, DecodeError oversized) {
    const int before = in_.CurrentPosition();
    std::uint64_t wide = 0;
    if (!varint(wide)) return false;
    if (in_.CurrentPosition() - before > 5) return session_.fail(DecodeError::malformed);
    value = static_cast<std::uint32_t>(wide);
    return value == wide || session_.fail(oversized);
  }

  bool take(std::uint32_t length, ByteView& content) {
    const void* begin = nullptr;
    int left = 0;
    in_.GetDirectBufferPointerInline(&begin, &left);
    if (length > static_cast<std::uint32_t>(left)) return session_.fail(DecodeError::malformed);
    content = {static_cast<const std::uint8_t*>(begin), length};
    return in_.Skip(static_cast<int>(length));
  }

  bool skip_group(std::uint32_t begin) {
    if (!session_.enter()) return false;
    const std::uint32_t end = begin - group_type + end_group_type;
    for (std::uint32_t tag = end_tag;;) {
      if (!next_tag(tag)) return false;
      if (tag == end) break;
      if (tag == end_tag) return session_.fail(DecodeError::malformed);
      if (!skip(tag)) return false;
    }
    session_.leave();
    return true;
  }

  google::protobuf::io::CodedInputStream in_;
  Session& session_;
};

}  // namespace mirbft::wire::detail

#endif
