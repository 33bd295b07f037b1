// `mircat stat`: how many events of which kind there are, and how much room they take.
#ifndef MIRBFT_MIRCAT_STAT_HPP
#define MIRBFT_MIRCAT_STAT_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

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
#include <mirbft/wire/json.hpp>

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

/// Events of one type or module, in JSON.
struct TallyReport {
  std::string name;
  std::uint64_t events = 0;
  /// Of all, from 0 to 1.
  double events_share = 0;
  /// Over the time of all; nothing where the logs know none.
  std::optional<double> events_per_second;
  std::uint64_t bytes = 0;
  double bytes_share = 0;
  std::optional<std::uint64_t> first_sn;
  std::optional<std::uint64_t> last_sn;
};

/// What `stat` says, in JSON.
struct StatReport {
  std::uint64_t logs = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  /// Nanoseconds, as an event's `time`; nothing where the logs know none.
  std::optional<std::string> begin;
  std::optional<std::string> end;
  std::optional<double> events_per_second;
  std::optional<std::uint64_t> first_sn;
  std::optional<std::uint64_t> last_sn;
  /// The most frequent first.
  std::vector<TallyReport> types;
  std::vector<TallyReport> modules;
};

/// One pass over the logs.
class Stat {
 public:
  static constexpr std::string_view name = "stat";
  static constexpr std::string_view about = "count events and bytes, by type and by module";
  static constexpr std::string_view examples =
      "  mircat stat run/\n"
      "  mircat stat node-0.log --filter 'sn=100.. slot=protocol'\n"
      "  mircat stat run/ --json | jq '.types[] | select(.name == \"Deliver\") | .events'\n";

  void options(Options& options) {
    selection_.options(options);
    options.optional("--json", "a JSON object", &json_);
  }

  int run(Console& console) {
    SelectedEvents events(selection_);
    const auto damage = damage_in([&] { count(console, events); });
    const StatReport report = report_of(events.logs().all().size());
    if (json_) {
      console.out() << wire::to_json(report) << '\n';
    } else {
      print_summary(console, report);
      print_types(console, report);
      print_modules(console, report);
    }
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

  StatReport report_of(std::uint64_t logs) const {
    const TallyReport all = tally_report("", all_);
    StatReport report{logs, all.events, all.bytes, {}, {}, all.events_per_second,
                      all.first_sn, all.last_sn, {}, {}};
    if (!all_.time.is_empty()) {
      report.begin = std::to_string(all_.time.low);
      report.end = std::to_string(all_.time.high);
    }
    for (const auto& [type, tally] : types_) report.types.push_back(tally_report(type, tally));
    std::ranges::stable_sort(report.types, std::ranges::greater(), &TallyReport::events);
    for (std::size_t place = 0; place < slots_.size(); ++place)
      if (slots_[place].events != 0)
        report.modules.push_back(tally_report(slot_names[place], slots_[place]));
    return report;
  }

  TallyReport tally_report(std::string title, const Tally& tally) const {
    TallyReport report;
    report.name = std::move(title);
    report.events = tally.events;
    report.events_share = share(tally.events, all_.events);
    if (!all_.time.is_empty() && all_.time.low != all_.time.high)
      report.events_per_second = static_cast<double>(tally.events) * 1e9 /
                                 static_cast<double>(all_.time.high - all_.time.low);
    report.bytes = tally.bytes;
    report.bytes_share = share(tally.bytes, all_.bytes);
    if (!tally.sequence_numbers.is_empty()) {
      report.first_sn = tally.sequence_numbers.low;
      report.last_sn = tally.sequence_numbers.high;
    }
    return report;
  }
  static double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }

  void print_summary(Console& console, const StatReport& report) const {
    console.out() << report.events << " events of " << size_text(report.bytes) << " in "
                  << report.logs << (report.logs == 1 ? " log" : " logs");
    if (report.begin)
      console.out() << ", from " << time_text(all_.time.low) << " to " << time_text(all_.time.high)
                    << " (" << duration_text(all_.time.high - all_.time.low) << "), "
                    << rate_text(report.events_per_second) << " events/s";
    console.out() << '\n';
    if (report.first_sn)
      console.out() << "sequence numbers " << extent_text(report.first_sn, report.last_sn) << '\n';
    console.out() << '\n';
  }

  static void print_types(Console& console, const StatReport& report) {
    Table table({"type", " events", " share", " events/s", " bytes", " share", " sn"});
    for (const TallyReport& row : report.types) {
      std::vector<std::string> texts = row_of(row);
      texts.push_back(extent_text(row.first_sn, row.last_sn));
      table.add(std::move(texts));
    }
    table.print(console);
    console.out() << '\n';
  }

  static void print_modules(Console& console, const StatReport& report) {
    Table table({"module", " events", " share", " events/s", " bytes", " share"});
    for (const TallyReport& row : report.modules) table.add(row_of(row));
    table.print(console);
  }

  static std::vector<std::string> row_of(const TallyReport& row) {
    return {row.name, std::to_string(row.events), share_text(row.events_share),
            rate_text(row.events_per_second), size_text(row.bytes), share_text(row.bytes_share)};
  }
  static std::string share_text(double share) {
    std::array<char, 16> text;
    std::snprintf(text.data(), text.size(), "%.1f %%", 100 * share);
    return text.data();
  }
  static std::string rate_text(const std::optional<double>& rate) {
    if (!rate) return "-";
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%.1f", *rate);
    return text.data();
  }
  static std::string extent_text(const std::optional<std::uint64_t>& first,
                                 const std::optional<std::uint64_t>& last) {
    return first && last ? std::to_string(*first) + ".." + std::to_string(*last) : "-";
  }

  Selection selection_;
  bool json_ = false;
  Tally all_;
  std::array<Tally, slot_count> slots_{};
  std::map<std::string, Tally> types_;
};

}  // namespace mirbft::mircat

BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::TallyReport, name, events, events_share, events_per_second,
                        bytes, bytes_share, first_sn, last_sn);
BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::StatReport, logs, events, bytes, begin, end,
                        events_per_second, first_sn, last_sn, types, modules);

#endif
