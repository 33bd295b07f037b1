// `mircat select`, or `mircat -i`: asks which modules and which events to show, and shows them.
#ifndef MIRBFT_MIRCAT_SELECT_HPP
#define MIRBFT_MIRCAT_SELECT_HPP

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/mircat/cat.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/selection.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// Things with boxes to tick.
class TickList {
 public:
  /// All are ticked at first.
  TickList(std::string title, std::vector<std::pair<std::string, std::uint64_t>> counts)
      : title_(std::move(title)) {
    for (auto& [name, count] : counts) entries_.push_back({std::move(name), count, true});
  }

  void print(Console& console) const {
    console.out() << console.paint(Ink::bold, title_) << '\n';
    for (std::size_t place = 0; place < entries_.size(); ++place) {
      const Entry& entry = entries_[place];
      const std::string number = std::to_string(place + 1);
      console.out() << std::string(4 - std::min<std::size_t>(number.size(), 3), ' ') << number
                    << (entry.is_ticked ? console.paint(Ink::green, " [x] ") : " [ ] ")
                    << entry.name << "  " << console.paint(Ink::dim, std::to_string(entry.count))
                    << '\n';
    }
  }

  /// Does what a line says: numbers and ranges of them are ticked, and all others are not; with +
  /// or - in front, ticks are added or taken away; `all` and `none`. Why not, if it makes no sense.
  std::optional<std::string> apply(std::string_view line) {
    std::vector<Entry> changed = entries_;
    const bool is_new = line.find_first_of("+-") == std::string_view::npos;
    if (is_new) tick_all(changed, false);
    for (std::size_t at = 0; (at = line.find_first_not_of(" ,\t", at)) != line.npos;) {
      const std::size_t end = std::min(line.find_first_of(" ,\t", at), line.size());
      const std::string_view word = line.substr(at, end - at);
      if (!apply_word(changed, word))
        return '"' + std::string(word) + "\" is no choice: write numbers from 1 to " +
               std::to_string(entries_.size()) + " as 1 3..5, +2, -4, or all, or none";
      at = end;
    }
    entries_ = std::move(changed);
    return std::nullopt;
  }

  bool has_all() const {
    return std::ranges::all_of(entries_, [](const Entry& entry) { return entry.is_ticked; });
  }
  std::vector<std::string> ticked() const {
    std::vector<std::string> names;
    for (const Entry& entry : entries_)
      if (entry.is_ticked) names.push_back(entry.name);
    return names;
  }

 private:
  struct Entry {
    std::string name;
    std::uint64_t count = 0;
    bool is_ticked = true;
  };

  static void tick_all(std::vector<Entry>& entries, bool is_ticked) {
    for (Entry& entry : entries) entry.is_ticked = is_ticked;
  }

  static bool apply_word(std::vector<Entry>& entries, std::string_view word) {
    const bool is_ticked = !word.starts_with('-');
    if (word.starts_with('-') || word.starts_with('+')) word.remove_prefix(1);
    if (word == "all" || word == "none") {
      tick_all(entries, (word == "all") == is_ticked);
      return true;
    }
    const std::size_t dots = word.find("..");
    const auto first = number(word.substr(0, dots));
    const auto last = dots == word.npos ? first : number(word.substr(dots + 2));
    if (!first || !last || *first < 1 || *first > *last || *last > entries.size()) return false;
    for (std::size_t place = *first; place <= *last; ++place)
      entries[place - 1].is_ticked = is_ticked;
    return true;
  }

  static std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && at == end ? std::optional(value) : std::nullopt;
  }

  std::string title_;
  std::vector<Entry> entries_;
};

/// Two lists, of the modules and of the event types in the logs: one answers with what to tick,
/// and with an empty line when it is right. The command that shows the same again is printed first.
class Select {
 public:
  static constexpr std::string_view name = "select";
  static constexpr std::array<const char*, 2> aliases{"-i", "--interactive"};
  static constexpr std::string_view about =
      "tick modules and event types, and print their events; mircat -i is the same";
  static constexpr std::string_view examples =
      "  mircat select node-0.log\n"
      "  mircat -i node-0.log\n"
      "  printf '1 3\\n\\nall\\n-2\\n\\n' | mircat select run/\n";

  void options(Options& options) { selection_.options(options); }

  int run(Console& console) {
    std::vector<std::uint64_t> slots(slot_count);
    std::map<std::string, std::map<std::size_t, std::uint64_t>> types;
    count(console, slots, types);
    if (types.empty()) {
      console.err() << "mircat: no event is there to choose from\n";
      return status::finding;
    }
    TickList modules("Which modules' events?", modules_in(slots));
    ask(console, modules);
    add_filter("slot", modules);
    TickList events("Which events?", types_in(types, modules.ticked()));
    ask(console, events);
    add_filter("type", events);
    console.out() << console.paint(Ink::dim, "# " + command()) << '\n';
    return Cat(selection_).run(console);
  }

 private:
  using Types = std::map<std::string, std::map<std::size_t, std::uint64_t>>;
  using Counts = std::vector<std::pair<std::string, std::uint64_t>>;

  void count(Console& console, std::vector<std::uint64_t>& slots, Types& types) const {
    Selection all = selection_;
    all.limit.reset();
    SelectedEvents events(all);
    Progress progress(console, "counting");
    while (const auto found = events.next()) {
      const std::size_t place = found->event.slot.index();
      ++slots[place];
      ++types[std::string(short_name(found->event.name))][place];
      progress.show(events.logs().done(), events.logs().total());
    }
  }

  static Counts modules_in(const std::vector<std::uint64_t>& slots) {
    Counts counts;
    for (std::size_t place = 0; place < slots.size(); ++place)
      if (slots[place] != 0) counts.emplace_back(slot_names[place], slots[place]);
    return counts;
  }
  /// Those that the chosen modules got.
  static Counts types_in(const Types& types, const std::vector<std::string>& modules) {
    Counts counts;
    for (const auto& [type, slots] : types) {
      std::uint64_t sum = 0;
      for (const auto& [place, events] : slots)
        if (std::ranges::find(modules, slot_names[place]) != modules.end()) sum += events;
      if (sum != 0) counts.emplace_back(type, sum);
    }
    return counts;
  }

  /// The end of the input is an answer too: all is right as it stands.
  static void ask(Console& console, TickList& list) {
    list.print(console);
    for (std::string line;;) {
      console.out() << "numbers, +n, -n, all, none; empty when right> " << std::flush;
      const bool is_there = static_cast<bool>(std::getline(console.in(), line));
      if (!console.terminals().in || !is_there) console.out() << '\n';
      if (!is_there || line.find_first_not_of(" \t\r") == line.npos) {
        if (!list.ticked().empty()) return;
        if (!is_there) throw ConfigError("selection", "(none)", "tick at least one");
        console.out() << "nothing is ticked: tick at least one\n";
      } else if (const auto why_not = list.apply(line)) {
        console.out() << *why_not << '\n';
      } else {
        list.print(console);
      }
    }
  }

  void add_filter(const std::string& field, const TickList& list) {
    if (list.has_all()) return;
    std::string filter = field + '=';
    for (const std::string& one : list.ticked())
      filter += (filter.ends_with('=') ? "" : ",") + one;
    selection_.filters.push_back(std::move(filter));
  }

  /// In single quotes for the shell, unless it is a plain word.
  static std::string quoted(const std::string& word) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+";
    if (!word.empty() && word.find_first_not_of(plain) == word.npos) return word;
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + '\'';
  }

  std::string command() const {
    std::string text = "mircat cat";
    for (const std::string& log : selection_.logs) text += ' ' + quoted(log);
    for (const std::string& filter : selection_.filters) text += " --filter " + quoted(filter);
    if (selection_.from != 0) text += " --from " + std::to_string(selection_.from);
    if (selection_.limit) text += " --limit " + std::to_string(*selection_.limit);
    return text;
  }

  Selection selection_;
};

}  // namespace mirbft::mircat

#endif
