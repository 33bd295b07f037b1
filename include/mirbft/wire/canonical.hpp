// The bytes of a value that are hashed and signed: one fixed encoding, injective by construction.
//
// Every part says where it ends, so two different values of a type never give the same bytes, and
// a domain tag keeps a signature over one thing from being taken for a signature over another.
#ifndef MIRBFT_WIRE_CANONICAL_HPP
#define MIRBFT_WIRE_CANONICAL_HPP

#include <cstdint>
#include <cstring>
#include <string_view>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/kind.hpp>

namespace mirbft::wire {

namespace detail {

class CanonicalCounter {
 public:
  std::size_t size() const noexcept { return size_; }
  void number(std::uint64_t) noexcept { size_ += 8; }
  void raw(ByteView content) noexcept { size_ += content.size(); }

 private:
  std::size_t size_ = 0;
};

class CanonicalWriter {
 public:
  explicit CanonicalWriter(std::uint8_t* begin) noexcept : at_(begin) {}

  void number(std::uint64_t value) noexcept {
    for (int place = 0; place < 8; ++place) {
      at_[place] = static_cast<std::uint8_t>(value >> (8 * place));
    }
    at_ += 8;
  }
  void raw(ByteView content) noexcept {
    if (content.empty()) return;
    std::memcpy(at_, content.data(), content.size());
    at_ += content.size();
  }

 private:
  std::uint8_t* at_;
};

template <class Sink>
void put_delimited(Sink& out, ByteView content) {
  out.number(content.size());
  out.raw(content);
}

template <class Sink, class T>
void put_canonical(Sink& out, const T& value) {
  if constexpr (kind_of<T> == Kind::unknown) {
    static_assert(kind_of<T> != Kind::unknown,
                  "[mirbft] a value of this type has no canonical bytes: use integers, enums, ids, "
                  "durations, Bytes, std::string, byte arrays, reflected structs, variants, "
                  "vectors and optionals");
  } else if constexpr (is_shared<T>) {
    put_canonical(out, *value);
  } else if constexpr (kind_of<T> == Kind::number) {
    out.number(to_number(value));
  } else if constexpr (kind_of<T> == Kind::blob) {
    if constexpr (fixed_size<T> == 0) out.number(value.size());
    out.raw(view_of(value));
  } else if constexpr (kind_of<T> == Kind::record) {
    for_each_member(value, [&](auto, const auto& member) { put_canonical(out, member); });
  } else if constexpr (kind_of<T> == Kind::choice) {
    out.number(held_number(value));
    visit_choice(value, [&](std::uint32_t, const auto& held) { put_canonical(out, held); });
  } else if constexpr (kind_of<T> == Kind::maybe) {
    out.number(value.has_value());
    if (value) put_canonical(out, *value);
  } else {
    out.number(value.size());
    for (const auto& element : value) put_canonical(out, element);
  }
}

}  // namespace detail

/// What is hashed or signed to state `value`: the domain tag, the cluster's id and the value, each
/// with its length in front. All numbers are 8 bytes, little-endian; byte strings and vectors have
/// their length in front, fixed arrays do not; an optional has 0 or 1 in front, a variant the
/// field number of its alternative; a struct is its members in their order.
///
/// A domain names one purpose and one type, and changes with the type.
template <class T>
Bytes canonical(std::string_view domain, ByteView cluster_id, const T& value) {
  detail::CanonicalCounter value_counter;
  detail::put_canonical(value_counter, value);
  const std::size_t size = 3 * 8 + domain.size() + cluster_id.size() + value_counter.size();
  return Bytes::filled(size, [&](std::uint8_t* begin) {
    detail::CanonicalWriter writer(begin);
    detail::put_delimited(writer, bytes_of(domain));
    detail::put_delimited(writer, cluster_id);
    writer.number(value_counter.size());
    detail::put_canonical(writer, value);
  });
}

}  // namespace mirbft::wire

#endif
