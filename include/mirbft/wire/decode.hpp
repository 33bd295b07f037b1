// From protobuf bytes to a reflected struct: bounds-checked, limited, and never throwing.
#ifndef MIRBFT_WIRE_DECODE_HPP
#define MIRBFT_WIRE_DECODE_HPP

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/encode.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/limits.hpp>
#include <mirbft/wire/reader.hpp>
#include <mirbft/wire/tag.hpp>
#include <mirbft/wire/utf8.hpp>

namespace mirbft::wire {

namespace detail {

// How much a member adds to its message.
template <class T>
std::size_t field_size(const T& value) {
  Counter counter;
  put_field(counter, 1, value);
  return counter.size();
}

// proto3 knows no default but zero, so what a struct initialises otherwise is zeroed before it is
// read: a field that is absent was zero when it was written.
template <class T>
void set_zero(T& value) {
  if constexpr (is_shared<T>) {
    if (field_size(*value) == 0) return;
    typename T::value_type zero{};
    set_zero(zero);
    value = T(std::move(zero));
  } else if constexpr (kind_of<T> == Kind::record) {
    for_each_member(value, [](auto, auto& member) { set_zero(member); });
  } else if constexpr (kind_of<T> == Kind::choice) {
    auto& first = value.template emplace<0>();
    if constexpr (!may_be_empty<T>) set_zero(first);
  } else {
    value = T{};
  }
}

template <class T>
T make_zero() {
  T value{};
  set_zero(value);
  return value;
}

template <class T>
inline constexpr bool is_list_of_numbers = false;
template <class Element>
inline constexpr bool is_list_of_numbers<std::vector<Element>> = kind_of<Element> == Kind::number;

// Numbers in lists come packed or one by one.
template <class Member>
constexpr bool is_tag_of(std::uint32_t tag, std::uint32_t number) {
  const bool packed = is_list_of_numbers<typename Unshared<Member>::type> &&
                      tag == make_tag(number, delimited_type);
  return packed || tag == make_tag(number, wire_type<Member>);
}

class Decoder {
 public:
  Decoder(const Bytes& input, Form form, const Limits& limits) noexcept
      : input_(input), form_(form), session_{limits.memory, limits.depth} {}

  DecodeError error() const noexcept { return session_.error; }

  // Merges the content of a message into `value`.
  template <class T>
  bool body(ByteView content, T& value) {
    if constexpr (is_shared<T>) {
      return edit(value, [&](auto& own) { return body(content, own); });
    } else if constexpr (kind_of<T> == Kind::choice) {
      return choice(content, value);
    } else if constexpr (kind_of<T> == Kind::record) {
      return fields(content, [&](Reader& in, std::uint32_t& tag) {
        Outcome outcome = Outcome::unknown;
        for_each_member(value, [&](auto number, auto& member) {
          using Member = std::remove_reference_t<decltype(member)>;
          if (!is_tag_of<Member>(tag, number) || outcome == Outcome::failed) return;
          outcome = outcome_of(field(in, tag, member) && in.next_tag(tag));
        });
        return outcome;
      });
    } else {
      return false;  // Does not compile, and the encoder says why.
    }
  }

 private:
  enum class Outcome : std::uint8_t { unknown, known, failed };

  static Outcome outcome_of(bool good) noexcept { return good ? Outcome::known : Outcome::failed; }

  // Calls `pass(in, tag)` until all fields are read. A pass goes over the members once and takes
  // each field that comes in their order, so that a sorted message takes a single pass.
  template <class Pass>
  bool fields(ByteView content, Pass&& pass) {
    Reader in(content, session_);
    std::uint32_t tag = end_tag;
    if (!in.next_tag(tag)) return false;
    while (tag != end_tag) {
      const Outcome outcome = pass(in, tag);
      if (outcome == Outcome::failed) return false;
      if (tag == end_tag) break;
      // Also keeps a peer from making us merge the same field over and over.
      if (form_ == Form::canonical) return session_.fail(DecodeError::not_canonical);
      if (outcome == Outcome::unknown && !(in.skip(tag) && in.next_tag(tag))) return false;
    }
    return true;
  }

  template <class... Alternatives>
  bool choice(ByteView content, std::variant<Alternatives...>& value) {
    using Variant = std::variant<Alternatives...>;
    bool found = may_be_empty<Variant>;
    const bool good = fields(content, [&](Reader& in, std::uint32_t& tag) {
      Outcome outcome = Outcome::unknown;
      [&]<std::size_t... place>(std::index_sequence<place...>) {
        const auto take = [&](auto chosen) {
          outcome = outcome_of(alternative<chosen>(in, value) && in.next_tag(tag));
          return true;
        };
        static_cast<void>(((is_tag_of_alternative<Variant, place>(tag) &&
                            take(std::integral_constant<std::size_t, place>{})) ||
                           ...));
      }(std::index_sequence_for<Alternatives...>{});
      found |= outcome == Outcome::known;
      return outcome;
    });
    return good && (found || session_.fail(DecodeError::no_choice));
  }

  template <class Variant, std::size_t place>
  static constexpr bool is_tag_of_alternative(std::uint32_t tag) {
    return tag == make_tag(alternative_numbers<Variant>[place], delimited_type);
  }

  template <std::size_t place, class Variant>
  bool alternative(Reader& in, Variant& value) {
    using Held = std::variant_alternative_t<place, Variant>;
    if constexpr (std::is_same_v<Held, std::monostate>) {
      return false;  // Has no field.
    } else {
      if (value.index() != place) value.template emplace<place>(make_zero<Held>());
      return single(in, std::get<place>(value));
    }
  }

  template <class T>
  bool field(Reader& in, std::uint32_t tag, T& member) {
    if constexpr (is_shared<T>) {
      return edit(member, [&](auto& own) { return field(in, tag, own); });
    } else if constexpr (kind_of<T> == Kind::maybe) {
      if (!member) member = make_zero<typename T::value_type>();
      return single(in, *member);
    } else if constexpr (kind_of<T> == Kind::list) {
      if constexpr (is_list_of_numbers<T>) {
        if ((tag & 7) == delimited_type) return packed(in, member);
      }
      return list(in, tag, member);
    } else {
      return single(in, member);
    }
  }

  // A run of fields of one vector.
  template <class Element>
  bool list(Reader& in, std::uint32_t tag, std::vector<Element>& list) {
    do {
      if (!session_.spend(1, sizeof(Element))) return false;
      Element element = make_zero<Element>();
      if (!single(in, element)) return false;
      list.push_back(std::move(element));
    } while (in.accept(tag));
    return true;
  }

  template <class Element>
  bool packed(Reader& in, std::vector<Element>& list) {
    ByteView content;
    if (!in.delimited(content)) return false;
    // Every varint ends with a byte below 0x80.
    const auto count = static_cast<std::size_t>(
        std::count_if(content.begin(), content.end(), [](auto byte) { return byte < 0x80; }));
    if (!session_.spend(count, sizeof(Element))) return false;
    list.reserve(list.size() + count);
    for (Reader numbers(content, session_); !numbers.at_end();) {
      Element element{};
      if (!single(numbers, element)) return false;
      list.push_back(element);
    }
    return true;
  }

  // A value without its tag.
  template <class T>
  bool single(Reader& in, T& value) {
    if constexpr (!Single<T>) {
      return false;  // Does not compile, and the encoder says why.
    } else if constexpr (kind_of<T> == Kind::number) {
      std::uint64_t number = 0;
      if (!in.varint(number)) return false;
      return from_number(number, value) || session_.fail(DecodeError::range);
    } else {
      ByteView content;
      if (!in.delimited(content)) return false;
      if constexpr (kind_of<T> == Kind::blob) {
        return blob(content, value);
      } else {
        if (!session_.enter() || !body(content, value)) return false;
        session_.leave();
        return true;
      }
    }
  }

  bool blob(ByteView content, Bytes& value) {
    value = input_.slice(static_cast<std::size_t>(content.data() - input_.data()), content.size());
    return true;
  }
  bool blob(ByteView content, std::string& value) {
    if (!is_utf8(content)) return session_.fail(DecodeError::text);
    value.assign(content.begin(), content.end());
    return true;
  }
  bool blob(ByteView content, Digest& value) { return blob(content, value.bytes); }
  template <std::size_t size>
  bool blob(ByteView content, std::array<std::uint8_t, size>& value) {
    if (content.size() != size) return session_.fail(DecodeError::length);
    std::memcpy(value.data(), content.data(), size);
    return true;
  }

  // A shared value is changed in a copy, which is paid for with what it holds already: a lenient
  // input could come back to the same field over and over.
  template <class T, class Change>
  bool edit(Shared<T>& value, Change&& change) {
    if (!session_.spend(1, sizeof(T) + field_size(*value))) return false;
    T own(*value);
    if (!change(own)) return false;
    value = Shared<T>(std::move(own));
    return true;
  }

  const Bytes& input_;
  Form form_;
  Session session_;
};

}  // namespace detail

/// Reads a message into `value`, whose `Bytes` become slices of `input`. Total: any input gives a
/// value or an error; with an error, what `value` holds is unspecified.
template <class T>
DecodeError decode_into(T& value, const Bytes& input, Form form, const Limits& limits = {}) {
  constexpr std::size_t longest = std::numeric_limits<std::int32_t>::max();
  if (input.size() > std::min(limits.bytes, longest)) return DecodeError::limit;
  detail::set_zero(value);
  detail::Decoder decoder(input, form, limits);
  if (!decoder.body(input.view(), value)) return decoder.error();
  if (form == Form::canonical && encode(value) != input) return DecodeError::not_canonical;
  return DecodeError::none;
}

/// The value that `input` holds, or nothing if `decode_into` would name an error.
template <class T>
std::optional<T> decode(const Bytes& input, Form form, const Limits& limits = {}) {
  std::optional<T> value(std::in_place);
  if (decode_into(*value, input, form, limits) != DecodeError::none) value.reset();
  return value;
}

}  // namespace mirbft::wire

#endif
