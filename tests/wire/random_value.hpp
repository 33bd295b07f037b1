// Random values of any type that the wire can carry. The same seed gives the same values with
// every compiler, which the standard library's distributions do not promise.
#ifndef MIRBFT_TESTS_WIRE_RANDOM_VALUE_HPP
#define MIRBFT_TESTS_WIRE_RANDOM_VALUE_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/wire/kind.hpp>

namespace mirbft::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  /// Nearly uniform, which is enough for tests.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t chances) { return below(chances) == 0; }

  /// A number of at most `bits` bits: often 0, the greatest, or beside a power of two, where
  /// encodings change their length.
  std::uint64_t number(std::uint32_t bits) {
    const std::uint64_t greatest = ~std::uint64_t{0} >> (64 - bits);
    switch (below(5)) {
      case 0: return 0;
      case 1: return greatest;
      case 2: return below(200) & greatest;
      case 3: return ((std::uint64_t{1} << below(bits)) - below(2)) & greatest;
      default: return next() & greatest;
    }
  }

  std::string bytes(std::size_t size) {
    std::string made;
    while (made.size() < size) made += static_cast<char>(below(256));
    return made;
  }

  /// UTF-8 of up to `characters` characters, of one to four bytes each.
  std::string text(std::size_t characters) {
    std::string made;
    for (std::size_t left = below(characters + 1); left > 0; --left) {
      static constexpr std::array<const char*, 8> samples = {
          "a", "\"", "\x01", "\xc3\xa9", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x90\xa6",
          "\xf4\x8f\xbf\xbf"};
      made += samples[below(samples.size())];
    }
    return made;
  }

 private:
  std::mt19937_64 engine_;
};

namespace detail {

/// How deep messages are nested at most; recursive types end there.
inline constexpr int greatest_depth = 6;

template <class T>
T random_value(Random& random, int depth);

template <class T>
T random_number(Random& random) {
  T value{};
  // That a negative number was not one before its bits were taken does not matter here.
  static_cast<void>(wire::from_number(random.number(8 * sizeof(T)), value));
  return value;
}

template <class T>
T random_blob(Random& random) {
  if constexpr (std::is_same_v<T, std::string>) {
    return random.text(20);
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return Bytes(random.bytes(random.one_in(4) ? 0 : random.below(200)));
  } else if constexpr (std::is_same_v<T, Digest>) {
    return Digest{random_blob<decltype(Digest::bytes)>(random)};
  } else {
    T value{};
    if (random.one_in(4)) return value;
    for (std::uint8_t& byte : value) byte = static_cast<std::uint8_t>(random.below(256));
    return value;
  }
}

template <class T, std::size_t... place>
T random_choice(Random& random, int depth, std::index_sequence<place...>) {
  T value;
  const std::size_t chosen = random.below(sizeof...(place));
  ((chosen == place ? static_cast<void>(value.template emplace<place>(
                          random_value<std::variant_alternative_t<place, T>>(random, depth + 1)))
                    : static_cast<void>(0)),
   ...);
  return value;
}

template <class T>
T random_list(Random& random, int depth) {
  T list;
  const std::uint64_t size = depth < greatest_depth ? random.below(depth < 2 ? 5 : 3) : 0;
  while (list.size() < size) {
    list.push_back(random_value<typename T::value_type>(random, depth + 1));
  }
  return list;
}

template <class T>
T random_value(Random& random, int depth) {
  if constexpr (std::is_same_v<T, std::monostate>) {
    return {};
  } else if constexpr (wire::is_shared<T>) {
    return T(random_value<typename T::value_type>(random, depth));
  } else if constexpr (wire::kind_of<T> == wire::Kind::number) {
    return random_number<T>(random);
  } else if constexpr (wire::kind_of<T> == wire::Kind::blob) {
    return random_blob<T>(random);
  } else if constexpr (wire::kind_of<T> == wire::Kind::choice) {
    return random_choice<T>(random, depth, std::make_index_sequence<std::variant_size_v<T>>{});
  } else if constexpr (wire::kind_of<T> == wire::Kind::list) {
    return random_list<T>(random, depth);
  } else if constexpr (wire::kind_of<T> == wire::Kind::maybe) {
    if (random.one_in(3) || depth >= greatest_depth) return std::nullopt;
    return random_value<typename T::value_type>(random, depth + 1);
  } else {
    T value;
    wire::for_each_member(value, [&](auto, auto& member) {
      member = random_value<std::remove_reference_t<decltype(member)>>(random, depth + 1);
    });
    return value;
  }
}

}  // namespace detail

/// A value with every member filled at random.
template <class T>
T random_value(Random& random) {
  return detail::random_value<T>(random, 0);
}

}  // namespace mirbft::test

#endif
