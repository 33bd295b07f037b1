// Which events a command is about: `type=PrePrepare node=0,2 sn=5..9 slot!=wal`.
#ifndef MIRBFT_MIRCAT_FILTER_HPP
#define MIRBFT_MIRCAT_FILTER_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>

#include <mirbft/mircat/fields.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/numbers.hpp>
#include <mirbft/mircat/pattern.hpp>
#include <mirbft/mircat/time.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// Words FIELD=VALUE or FIELD!=VALUE with blanks between, all of which must hold. A value is some
/// with commas between, one of which must hold: a number, a range (`5..9`, `5..`, `..9`) or a text
/// with `*` and `?`. In double quotes, blanks and commas are part of the text. FIELD is
///
/// - `type`: the event's name without package (`Deliver`), its family (`HashRequest` for all
///   `HashRequest_…`), or the name of the message that it carries (`PrePrepare`);
/// - `node`, `slot` (the module it was dispatched to), `index`, `time` (2026-01-31T12:00, 1.5s);
/// - else a field of the event's message, or of what that contains, by its name (`sn`) or by the
///   end of its path (`content.sn`). One of that name must have the value.
///
/// `!=` is true where `=` is not. Used with logs that live as long as it does; by one thread.
class Filter {
 public:
  /// Throws ConfigError.
  static Filter parse(std::string_view text) {
    Filter filter;
    for (const std::string& word : split(text, ' ')) filter.add(word);
    return filter;
  }
  /// All of them together.
  static Filter parse(const std::vector<std::string>& texts) {
    Filter filter;
    for (const std::string& text : texts)
      for (const std::string& word : split(text, ' ')) filter.add(word);
    return filter;
  }

  bool empty() const noexcept { return words_.empty(); }

  /// Decodes the event only where its type, slot, node, index and time leave that open. Throws
  /// LogError when it cannot be decoded then.
  bool operator()(const Found& found) const {
    return std::ranges::all_of(words_, [&](const Word& word) {
      return holds(word, found) != word.is_negated;
    });
  }

  /// Throws ConfigError for a type or a field that no event of these logs can have: a filter that
  /// nothing passes is hardly ever what was meant.
  void check(const Logs& logs) const {
    for (const Word& word : words_)
      if (word.subject >= Subject::type && !is_known(word, logs))
        throw ConfigError("filter", word.text,
                          word.subject == Subject::type
                              ? "no event of these logs is called that: `mircat stat` lists them"
                              : "no event of these logs has such a field: `mircat cat` shows them");
  }

 private:
  /// What a word is about; the cheap ones first.
  enum class Subject { node, slot, index, time, type, field };

  /// What a word means for one type of event.
  struct Reach {
    /// All events of the type pass.
    bool passes = false;
    std::vector<FieldPath> paths;
  };

  struct Word {
    std::string text;
    Subject subject = Subject::field;
    std::string field;
    bool is_negated = false;
    Patterns patterns;
    mutable std::map<const google::protobuf::Descriptor*, Reach> reaches{};
  };

  [[noreturn]] static void refuse(const std::string& word, const char* rule) {
    throw ConfigError("filter", word.empty() ? "\"\"" : word, rule);
  }

  /// Parts between separators that stand outside of quotes; empty parts are left out.
  static std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts(1);
    bool is_quoted = false;
    for (const char c : text) {
      if (c == '"') is_quoted = !is_quoted;
      if (c == separator && !is_quoted) {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    if (is_quoted) refuse(std::string(text), "the quote is not closed: write a second \"");
    std::erase(parts, "");
    return parts;
  }

  static Subject subject_of(std::string_view field) {
    static constexpr std::array<std::string_view, 5> names{"node", "slot", "index", "time", "type"};
    const auto found = std::ranges::find(names, field);
    return static_cast<Subject>(found - names.begin());
  }

  static std::optional<Number> parse_time_number(std::string_view text) {
    const auto time = parse_time(text);
    return time ? std::optional(Number(*time)) : parse_number(text);
  }

  void add(const std::string& text) {
    Word word{text, Subject::field, {}, false, {}};
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      refuse(text, "write FIELD=VALUE, as in type=Deliver or sn=5..9");
    word.is_negated = text[equals - 1] == '!';
    word.field = text.substr(0, equals - word.is_negated);
    word.subject = subject_of(word.field);
    const bool is_time = word.subject == Subject::time;
    for (std::string value : split(std::string_view(text).substr(equals + 1), ',')) {
      std::erase(value, '"');
      word.patterns.emplace_back(std::move(value), is_time ? parse_time_number : parse_number);
    }
    check(word);
    const auto after = std::ranges::upper_bound(words_, word.subject, {}, &Word::subject);
    words_.insert(after, std::move(word));
  }

  static void check(const Word& word) {
    if (word.field.empty()) refuse(word.text, "write a field before the =, as in type=Deliver");
    if (word.patterns.empty()) refuse(word.text, "write a value behind the =");
    for (const Pattern& pattern : word.patterns) {
      if (pattern.is_empty())
        refuse(word.text, "the range holds nothing: write the lower end first");
      const bool is_number = word.subject == Subject::node || word.subject == Subject::index;
      if (is_number && !pattern.is_numeric())
        refuse(word.text, "write a number or a range, as 5, 5..9 or 5..");
      if (word.subject == Subject::time && !pattern.is_numeric())
        refuse(word.text, "write a time or a range: 2026-01-31T12:00:00.5, 1.5s, or 1s..2s");
      const auto is_module = [&](const char* name) { return pattern.holds(name, Case::ignored); };
      if (word.subject == Subject::slot && std::ranges::none_of(slot_names, is_module))
        refuse(word.text, "no module has this slot: tracker, hasher, crypto, store, protocol, "
                          "wal, app, net and node have");
    }
  }

  static bool holds(const Word& word, const Found& found) {
    const LogEvent& event = found.event;
    switch (word.subject) {
      case Subject::node: return holds_any(word.patterns, std::uint64_t{found.node.value});
      case Subject::slot: return holds_any(word.patterns, slot_name(event), Case::ignored);
      case Subject::index: return holds_any(word.patterns, event.index);
      case Subject::time: return holds_any(word.patterns, event.time);
      default: break;
    }
    const Reach& reach = reach_of(word, found.printer->type(event));
    if (reach.passes || reach.paths.empty()) return reach.passes;
    if (word.subject == Subject::field && std::ranges::all_of(reach.paths, is_plain_number))
      if (const auto known = holds_number(word, reach, event.payload)) return *known;
    const auto& message = found.printer->parse(event);
    static const Patterns anything{Pattern("*", parse_number)};
    const Patterns& values = word.subject == Subject::type ? anything : word.patterns;
    return std::ranges::any_of(
        reach.paths, [&](const FieldPath& path) { return holds_at(message, path, 0, values); });
  }

  /// The same without decoding all of the event; nothing where its bytes are no message.
  static std::optional<bool> holds_number(const Word& word, const Reach& reach,
                                          const Bytes& payload) {
    bool is_held = false;
    const auto look = [&](std::uint64_t number) { is_held |= holds_any(word.patterns, number); };
    for (const FieldPath& path : reach.paths)
      if (!for_each_number(payload, path, look)) return std::nullopt;
    return is_held;
  }

  static const Reach& reach_of(const Word& word, const google::protobuf::Descriptor& type) {
    auto known = word.reaches.find(&type);
    if (known == word.reaches.end()) known = word.reaches.emplace(&type, reach(word, type)).first;
    return known->second;
  }

  static Reach reach(const Word& word, const google::protobuf::Descriptor& type) {
    if (word.subject == Subject::field)
      return {false, field_paths(type, [&](const FieldPath& path) {
                return ends_with_name(path, word.field);
              })};
    const std::string_view name = type.name();
    if (holds_any(word.patterns, name, Case::ignored) ||
        holds_any(word.patterns, name.substr(0, name.find('_')), Case::ignored))
      return {true, {}};
    return {false, field_paths(type, [&](const FieldPath& path) {
              const auto* field = path.back();
              return field->real_containing_oneof() && field->message_type() &&
                     holds_any(word.patterns, field->message_type()->name(), Case::ignored);
            })};
  }

  static bool is_known(const Word& word, const Logs& logs) {
    for (const auto& log : logs.all())
      for (const LogReader::EventType& type : log->reader.types()) {
        const Reach& found = reach_of(word, log->printer.type(type.name));
        if (found.passes || !found.paths.empty()) return true;
      }
    return false;
  }

  std::vector<Word> words_;
};

}  // namespace mirbft::mircat

#endif
