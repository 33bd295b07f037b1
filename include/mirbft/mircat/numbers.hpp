// Reads single numbers out of protobuf bytes, without making a message of them: for passes over
// whole logs.
#ifndef MIRBFT_MIRCAT_NUMBERS_HPP
#define MIRBFT_MIRCAT_NUMBERS_HPP

#include <cstddef>
#include <cstdint>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <mirbft/mircat/fields.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::mircat {

namespace detail {

using google::protobuf::internal::WireFormatLite;

template <class Visit>
bool scan_numbers(google::protobuf::io::CodedInputStream& in, const FieldPath& path,
                  std::size_t depth, const Visit& visit) {
  const auto* field = path[depth];
  const bool is_last = depth + 1 == path.size();
  bool is_there = false;
  while (const std::uint32_t tag = in.ReadTag()) {
    const bool is_it = WireFormatLite::GetTagFieldNumber(tag) == field->number();
    const auto type = WireFormatLite::GetTagWireType(tag);
    std::uint64_t value = 0;
    if (is_it && is_last && type == WireFormatLite::WIRETYPE_VARINT) {
      if (!in.ReadVarint64(&value)) return false;
      visit(value);
      is_there = true;
    } else if (is_it && !is_last && type == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      int length = 0;
      if (!in.ReadVarintSizeAsInt(&length)) return false;
      const auto limit = in.PushLimit(length);
      if (!scan_numbers(in, path, depth + 1, visit)) return false;
      in.PopLimit(limit);
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return false;
    }
  }
  // What is not written is 0, where there can be but one.
  if (is_last && !is_there && !field->is_repeated() && !field->has_presence())
    visit(std::uint64_t{0});
  return in.ConsumedEntireMessage();
}

}  // namespace detail

/// Whether `for_each_number` can read what a path leads to: an unsigned number, of which there is
/// one in each message.
inline bool is_plain_number(const FieldPath& path) {
  using google::protobuf::FieldDescriptor;
  const auto* field = path.back();
  return !field->is_repeated() && (field->type() == FieldDescriptor::TYPE_UINT64 ||
                                   field->type() == FieldDescriptor::TYPE_UINT32);
}

/// Calls `visit(std::uint64_t)` for each number at the end of the path, in a message of the type
/// where it begins. False where the bytes are no such message.
template <class Visit>
bool for_each_number(const Bytes& message, const FieldPath& path, const Visit& visit) {
  google::protobuf::io::CodedInputStream in(message.data(), static_cast<int>(message.size()));
  return detail::scan_numbers(in, path, 0, visit);
}

}  // namespace mirbft::mircat

#endif
