// A key-value store as an App: SET, GET, DEL and INCR, as lines of text.
#ifndef MIRBFT_MODULES_APP_KEY_VALUE_STORE_HPP
#define MIRBFT_MODULES_APP_KEY_VALUE_STORE_HPP

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/app/key_value_chunks.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// What the body of a request asks of a `KeyValueStore`. The views are of that body.
struct KeyValueCommand {
  enum class Verb : std::uint8_t { set, get, del, incr };

  Verb verb = Verb::get;
  std::string_view key;
  std::string_view value;  ///< of SET: all that follows the key, blanks included; may be empty

  /// What a command looks like, for those who wrote another.
  static constexpr std::string_view rule = "SET key value, GET key, DEL key or INCR key";

  /// Reads `SET key value`, `GET key`, `DEL key` or `INCR key`, with one blank between the words.
  /// None if it is something else. A key holds no blank.
  static std::optional<KeyValueCommand> parse(std::string_view text) noexcept {
    const auto next_word = [&text] {
      const std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(word.size());
      return word;
    };
    const auto skip_blank = [&text] {
      const bool there = text.starts_with(' ');
      if (there) text.remove_prefix(1);
      return there;
    };
    const std::optional<Verb> verb = verb_named(next_word());
    if (!verb || !skip_blank()) return std::nullopt;
    const std::string_view key = next_word();
    const bool has_value = skip_blank();
    if (key.empty() || has_value != (verb == Verb::set)) return std::nullopt;
    return KeyValueCommand{*verb, key, text};
  }

 private:
  static constexpr std::optional<Verb> verb_named(std::string_view name) noexcept {
    if (name == "SET") return Verb::set;
    if (name == "GET") return Verb::get;
    if (name == "DEL") return Verb::del;
    if (name == "INCR") return Verb::incr;
    return std::nullopt;
  }
};

/// A key and its value in a snapshot.
struct KeyValueEntry {
  Bytes key;
  Bytes value;
};

/// All entries, by ascending key: the same state always gives the same bytes.
struct KeyValueSnapshot {
  std::vector<KeyValueEntry> entries;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::KeyValueEntry, key, value);
BOOST_HANA_ADAPT_STRUCT(mirbft::KeyValueSnapshot, entries);

namespace mirbft {

/// Maps keys to values, both of any bytes. A chunked App, and so the example of writing one; for
/// small states it also is a simple one. The first character of a reply says what follows, as in
/// Redis' protocol: `+` done, `$` a value, `:` a number, `_` no such key, `-` an error.
class KeyValueStore {
 public:
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    std::vector<Bytes> replies;
    replies.reserve(requests.size());
    for (const Request& request : requests) replies.emplace_back(execute(request.data.text()));
    return replies;
  }

  Bytes snapshot() const {
    KeyValueSnapshot all;
    all.entries.reserve(values_.size());
    values_.for_each([&](std::string_view key, std::string_view value) {
      all.entries.push_back({Bytes(key), Bytes(value)});
    });
    return wire::encode(all);
  }

  void restore(ByteView state) {
    // A quorum vouches for the state, so it may be as large as it is.
    const wire::Limits limits{.memory = std::numeric_limits<std::size_t>::max()};
    const auto all = wire::decode<KeyValueSnapshot>(Bytes(state), wire::Form::canonical, limits);
    // The one snapshot of a state has its keys in order: two texts must not mean one state.
    if (!all || std::adjacent_find(all->entries.begin(), all->entries.end(),
                                   [](const KeyValueEntry& left, const KeyValueEntry& right) {
                                     return left.key >= right.key;
                                   }) != all->entries.end())
      throw ModuleFailure("key-value store: the snapshot cannot be read");
    values_ = {};
    for (const KeyValueEntry& entry : all->entries)
      values_.set(entry.key.text(), entry.value.text());
  }

  FrozenChunks freeze() { return values_.freeze(); }
  Bytes frozen(std::uint64_t number) { return values_.frozen(number); }
  void restore(std::span<const Bytes> chunks) { values_.restore(chunks); }

  /// The value of a key; none if there is no such key. Valid until the next change.
  std::optional<std::string_view> find(std::string_view key) const { return values_.find(key); }
  std::size_t size() const noexcept { return values_.size(); }

 private:
  std::string execute(std::string_view text) {
    const auto command = KeyValueCommand::parse(text);
    if (!command) return "-the command must be " + std::string(KeyValueCommand::rule);
    switch (command->verb) {
      case KeyValueCommand::Verb::set:
        values_.set(command->key, command->value);
        return "+OK";
      case KeyValueCommand::Verb::get: break;
      case KeyValueCommand::Verb::del: return values_.erase(command->key) ? ":1" : ":0";
      case KeyValueCommand::Verb::incr: return incr(command->key);
    }
    const auto value = find(command->key);
    return value ? '$' + std::string(*value) : "_";
  }

  /// A key that is not there counts as 0.
  std::string incr(std::string_view key) {
    const std::string_view text = find(key).value_or("0");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() ||
        number == std::numeric_limits<std::int64_t>::max())
      return "-the value is not a number that can grow by one";
    const std::string grown = std::to_string(number + 1);
    values_.set(key, grown);
    return ':' + grown;
  }

  KeyValueChunks values_;
};

}  // namespace mirbft

#endif
