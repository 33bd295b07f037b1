// `mircat stat`: how many events of which kind there are, and how much room they take.
#ifndef MIRBFT_MIRCAT_STAT_HPP
#define MIRBFT_MIRCAT_STAT_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/events/event.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/fields.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/numbers.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/selection.hpp>
#include <mirbft/mircat/table.hpp>
#include <mirbft/mircat/time.hpp>

namespace mirbft::mircat {

/// From the lowest to the highest of some values.
struct Extent {
  std::uint64_t low = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t high = 0;

  void include(std::uint64_t value) noexcept {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool is_empty() const noexcept { return low > high; }
};

/// Some events together.
struct Tally {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  Extent time;
  /// Of the fields called `sn`.
  Extent sequence_numbers;
};

/// One pass over the logs.
class Stat {
 public:
  static constexpr std::string_view name = "stat";
  static constexpr std::string_view about = "count events and bytes, by type and by module";
  static constexpr std::string_view examples =
      "  mircat stat run/\n"
      "  mircat stat node-0.log --filter 'sn=100.. slot=protocol'\n";

  void options(Options& options) { selection_.options(options); }

  int run(Console& console) {
    SelectedEvents events(selection_);
    const auto damage = damage_in([&] { count(console, events); });
    print_summary(console, events.logs().all().size());
    print_types(console);
    print_slots(console);
    if (damage) throw *damage;
    return status::ok;
  }

 private:
  /// An event type as one log has it.
  struct Type {
    Tally* tally = nullptr;
    std::vector<FieldPath> numbers;
  };
  using Types = std::map<std::pair<const LogReader*, std::uint32_t>, Type>;

  void count(Console& console, SelectedEvents& events) {
    Progress progress(console, "counting");
    Types types;
    while (const auto found = events.next()) {
      const LogEvent& event = found->event;
      Type& type = types[{found->log, event.number}];
      if (!type.tally) type = type_of(*found);
      for (Tally* tally : {&all_, &slots_[event.slot.index()], type.tally}) {
        ++tally->events;
        tally->bytes += event.payload.size();
        if (event.time != 0) tally->time.include(event.time);
      }
      for (const FieldPath& path : type.numbers)
        (void)for_each_number(event.payload, path, [&](std::uint64_t sn) {
          type.tally->sequence_numbers.include(sn);
          all_.sequence_numbers.include(sn);
        });
      progress.show(events.logs().done(), events.logs().total());
    }
  }

  Type type_of(const Found& found) {
    return {&types_[std::string(short_name(found.event.name))],
            field_paths(found.printer->type(found.event), [](const FieldPath& path) {
              return is_plain_number(path) && path.back()->name() == "sn";
            })};
  }

  void print_summary(Console& console, std::size_t logs) const {
    console.out() << all_.events << " events of " << size_text(all_.bytes) << " in " << logs
                  << (logs == 1 ? " log" : " logs");
    if (!all_.time.is_empty())
      console.out() << ", from " << time_text(all_.time.low) << " to " << time_text(all_.time.high)
                    << " (" << duration_text(all_.time.high - all_.time.low) << "), "
                    << rate_text(all_) << " events/s";
    console.out() << '\n';
    if (!all_.sequence_numbers.is_empty())
      console.out() << "sequence numbers " << extent_text(all_.sequence_numbers) << '\n';
    console.out() << '\n';
  }

  void print_types(Console& console) const {
    std::vector<std::pair<std::string, const Tally*>> rows;
    for (const auto& [type, tally] : types_) rows.emplace_back(type, &tally);
    std::ranges::stable_sort(rows, std::ranges::greater(),
                             [](const auto& row) { return row.second->events; });
    Table table({"type", " events", " share", " events/s", " bytes", " share", " sn"});
    for (const auto& [type, tally] : rows)
      table.add({type, std::to_string(tally->events), share(tally->events, all_.events),
                 rate_text(*tally), size_text(tally->bytes), share(tally->bytes, all_.bytes),
                 extent_text(tally->sequence_numbers)});
    table.print(console);
    console.out() << '\n';
  }

  void print_slots(Console& console) const {
    Table table({"module", " events", " share", " events/s", " bytes", " share"});
    for (std::size_t place = 0; place < slots_.size(); ++place) {
      const Tally& tally = slots_[place];
      if (tally.events == 0) continue;
      table.add({slot_names[place], std::to_string(tally.events), share(tally.events, all_.events),
                 rate_text(tally), size_text(tally.bytes), share(tally.bytes, all_.bytes)});
    }
    table.print(console);
  }

  static std::string share(std::uint64_t part, std::uint64_t whole) {
    const double percent = whole == 0 ? 0 : 100.0 * static_cast<double>(part) /
                                                static_cast<double>(whole);
    std::array<char, 16> text;
    std::snprintf(text.data(), text.size(), "%.1f %%", percent);
    return text.data();
  }
  /// Events in a second, over the time of all.
  std::string rate_text(const Tally& tally) const {
    if (all_.time.is_empty() || all_.time.low == all_.time.high) return "-";
    const double seconds = static_cast<double>(all_.time.high - all_.time.low) / 1e9;
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%.1f", static_cast<double>(tally.events) / seconds);
    return text.data();
  }
  static std::string extent_text(const Extent& extent) {
    if (extent.is_empty()) return "-";
    return std::to_string(extent.low) + ".." + std::to_string(extent.high);
  }

  Selection selection_;
  Tally all_;
  std::array<Tally, slot_count> slots_{};
  std::map<std::string, Tally> types_;
};

}  // namespace mirbft::mircat

#endif
