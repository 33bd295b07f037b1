// What a key-value store does with one key, as plainly as can be.
#ifndef MIRBFT_SIM_KEY_VALUE_MODEL_HPP
#define MIRBFT_SIM_KEY_VALUE_MODEL_HPP

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <mirbft/types/bytes.hpp>

namespace mirbft::sim {

/// A model for `Linearizable`: SET, GET, DEL and INCR as `KeyValueStore` answers them, written
/// again on purpose. Keys do not see one another.
struct KeyValueModel {
  /// The value of the key, if it is there.
  using State = std::optional<std::string>;

  static std::string part(const Bytes& request) { return std::string(words(request).key); }

  static Bytes apply(State& value, const Bytes& request) {
    const Words command = words(request);
    if (command.verb == "GET") return Bytes(value ? "$" + *value : "_");
    if (command.verb == "SET") {
      value = command.rest;
      return Bytes("+OK");
    }
    if (command.verb == "DEL") {
      const bool was_there = value.has_value();
      value.reset();
      return Bytes(was_there ? ":1" : ":0");
    }
    return increment(value);
  }

 private:
  struct Words {
    std::string_view verb;
    std::string_view key;
    std::string_view rest;
  };
  static Words words(const Bytes& request) {
    const std::string_view text = request.text();
    const std::size_t first = text.find(' ');
    const std::size_t second = text.find(' ', first + 1);
    if (second == text.npos) return {text.substr(0, first), text.substr(first + 1), {}};
    return {text.substr(0, first), text.substr(first + 1, second - first - 1),
            text.substr(second + 1)};
  }

  static Bytes increment(State& value) {
    const std::string text = value.value_or("0");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() ||
        number == std::numeric_limits<std::int64_t>::max())
      return Bytes("-the value is not a number that can grow by one");
    value = std::to_string(number + 1);
    return Bytes(":" + *value);
  }
};

}  // namespace mirbft::sim

#endif
