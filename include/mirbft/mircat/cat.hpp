// `mircat cat`: the events of logs, a line each.
#ifndef MIRBFT_MIRCAT_CAT_HPP
#define MIRBFT_MIRCAT_CAT_HPP

#include <optional>
#include <string_view>
#include <utility>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/growth.hpp>
#include <mirbft/mircat/line.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/mircat/progress.hpp>
#include <mirbft/mircat/selection.hpp>

namespace mirbft::mircat {

/// Shows what the filters let through; with `--follow` also what is still to come.
class Cat {
 public:
  static constexpr std::string_view name = "cat";
  static constexpr std::string_view about = "print events, a line each";
  static constexpr std::string_view examples =
      "  mircat cat node-0.log | less\n"
      "  mircat cat run/ --filter 'type=Deliver sn=5..9'\n"
      "  mircat cat run/ -f slot=protocol -f 'type!=Tick' --from 100 --limit 20\n"
      "  mircat cat node-0.log --json | jq .type\n"
      "  mircat cat node-0.log --follow\n";

  Cat() = default;
  /// What the options say, said by a program.
  explicit Cat(Selection selection) : selection_(std::move(selection)) {}

  void options(Options& options) {
    selection_.options(options);
    options.optional("--json", "JSON objects, with the event as protobuf has it", &json_);
    options.optional("--follow", "wait for more at the end; ends on Ctrl-C", &follow_);
  }

  int run(Console& console) {
    std::optional<Growth> growth;
    if (follow_) growth.emplace(log_files(selection_.logs));
    SelectedEvents events(selection_);
    do {
      print(console, events, growth);
      console.out().flush();
    } while (growth && !events.is_over() && growth->wait());
    return status::ok;
  }

 private:
  void print(Console& console, SelectedEvents& events, std::optional<Growth>& growth) const {
    const auto is_enough = [&growth] { return growth && growth->is_over(); };
    Progress progress(console, "reading", Meanwhile::lines);
    while (const auto found = events.next(is_enough)) {
      console.out() << (json_ ? event_json(*found) : event_line(console, *found)) << '\n';
      progress.show(events.logs().done(), events.logs().total());
    }
  }

  Selection selection_;
  bool json_ = false;
  bool follow_ = false;
};

}  // namespace mirbft::mircat

#endif
