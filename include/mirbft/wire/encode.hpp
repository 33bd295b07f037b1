// From a reflected struct to its protobuf bytes.
#ifndef MIRBFT_WIRE_ENCODE_HPP
#define MIRBFT_WIRE_ENCODE_HPP

#include <array>
#include <cstdint>
#include <cstring>

#include <google/protobuf/io/coded_stream.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/tag.hpp>

namespace mirbft::wire {

namespace detail {

using google::protobuf::io::CodedOutputStream;

// Messages are written from their end to their beginning: a length stands before its content, and
// so is known when its turn comes, at any depth. The same walk with a Counter yields the size.
class Counter {
 public:
  std::size_t size() const noexcept { return size_; }
  void varint(std::uint64_t value) noexcept { size_ += CodedOutputStream::VarintSize64(value); }
  void raw(ByteView content) noexcept { size_ += content.size(); }

 private:
  std::size_t size_ = 0;
};

class BackwardWriter {
 public:
  explicit BackwardWriter(std::uint8_t* end) noexcept : at_(end), end_(end) {}

  std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  void varint(std::uint64_t value) noexcept {
    at_ -= CodedOutputStream::VarintSize64(value);
    CodedOutputStream::WriteVarint64ToArray(value, at_);
  }
  void raw(ByteView content) noexcept {
    if (content.empty()) return;
    at_ -= content.size();
    std::memcpy(at_, content.data(), content.size());
  }

 private:
  std::uint8_t* at_;
  std::uint8_t* end_;
};

template <class T>
bool is_default(const T& value) {
  if constexpr (kind_of<T> == Kind::number) {
    return to_number(value) == 0;
  } else if constexpr (!Single<T>) {
    return false;
  } else if constexpr (fixed_size<T> == 0) {
    return value.empty();
  } else {
    static constexpr std::array<std::uint8_t, fixed_size<T>> zeros{};
    return std::memcmp(view_of(value).data(), zeros.data(), zeros.size()) == 0;
  }
}

template <class Sink, class T>
void put_body(Sink& out, const T& value);

// A value without its tag, with its length where it has one.
template <class Sink, class T>
void put_value(Sink& out, const T& value) {
  if constexpr (!Single<T>) {
    static_assert(Single<T>,
                  "[mirbft] a member of this type cannot travel: use integers, enums, ids, "
                  "durations, Bytes, std::string, byte arrays, reflected structs, variants, or a "
                  "vector or optional of one of these; wrap what is nested deeper in a struct");
  } else if constexpr (is_shared<T>) {
    put_value(out, *value);
  } else if constexpr (kind_of<T> == Kind::number) {
    out.varint(to_number(value));
  } else if constexpr (kind_of<T> == Kind::blob) {
    const ByteView content = view_of(value);
    out.raw(content);
    out.varint(content.size());
  } else {
    const std::size_t before = out.size();
    put_body(out, value);
    out.varint(out.size() - before);
  }
}

template <class Sink, class T>
void put_tagged(Sink& out, std::uint32_t number, const T& value) {
  put_value(out, value);
  out.varint(make_tag(number, wire_type<T>));
}

template <class Sink, class Element>
void put_list(Sink& out, std::uint32_t number, const std::vector<Element>& list) {
  if (list.empty()) return;
  const std::size_t before = out.size();
  for (auto element = list.rbegin(); element != list.rend(); ++element) {
    if constexpr (kind_of<Element> == Kind::number) {
      out.varint(to_number<Element>(*element));
    } else {
      put_tagged(out, number, *element);
    }
  }
  if constexpr (kind_of<Element> == Kind::number) {
    out.varint(out.size() - before);
    out.varint(make_tag(number, delimited_type));
  }
}

template <class Sink, class T>
void put_field(Sink& out, std::uint32_t number, const T& value) {
  if constexpr (is_shared<T>) {
    put_field(out, number, *value);
  } else if constexpr (kind_of<T> == Kind::maybe) {
    if (value) put_tagged(out, number, *value);
  } else if constexpr (kind_of<T> == Kind::list) {
    put_list(out, number, value);
  } else if constexpr (Message<T>) {
    const std::size_t before = out.size();
    put_body(out, value);
    const std::size_t length = out.size() - before;
    if (length == 0) return;
    out.varint(length);
    out.varint(make_tag(number, delimited_type));
  } else {
    if (!is_default(value)) put_tagged(out, number, value);
  }
}

template <class Sink, class T>
void put_body(Sink& out, const T& value) {
  if constexpr (is_shared<T>) {
    put_body(out, *value);
  } else if constexpr (kind_of<T> == Kind::choice) {
    visit_choice(value, [&](std::uint32_t number, const auto& held) {
      put_tagged(out, number, held);
    });
  } else if constexpr (kind_of<T> == Kind::record) {
    for_each_member_backward(
        value, [&](auto number, const auto& member) { put_field(out, number, member); });
  } else {
    static_assert(Message<T>,
                  "[mirbft] this is no message: list the members of a struct by one line "
                  "BOOST_HANA_ADAPT_STRUCT(type, member, member) in the global namespace");
  }
}

}  // namespace detail

/// The number of bytes that `encode` makes of a value.
template <class T>
std::size_t encoded_size(const T& value) {
  detail::Counter counter;
  detail::put_body(counter, value);
  return counter.size();
}

/// Writes what `encode` makes of a value to where its `encoded_size(value)` bytes have room.
template <class T>
void encode_into(std::uint8_t* to, std::size_t size, const T& value) {
  detail::BackwardWriter writer(to + size);
  detail::put_body(writer, value);
}

/// A struct or variant as a proto3 message: fields in the order of their numbers, those that hold
/// their default left out, each number as short as it can be. Equal values give equal bytes.
template <class T>
Bytes encode(const T& value) {
  const std::size_t size = encoded_size(value);
  return Bytes::filled(size, [&](std::uint8_t* to) { encode_into(to, size, value); });
}

}  // namespace mirbft::wire

#endif
