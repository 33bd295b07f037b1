// Events in Chrome's trace format, which Perfetto (https://ui.perfetto.dev) opens.
#ifndef MIRBFT_MIRCAT_EXPORT_CHROME_HPP
#define MIRBFT_MIRCAT_EXPORT_CHROME_HPP

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/message.h>

#include <mirbft/mircat/event_time.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/matching.hpp>
#include <mirbft/mircat/meaning.hpp>
#include <mirbft/mircat/short_json.hpp>

namespace mirbft::mircat {

/// Nodes are processes, modules threads, events slices, messages flows between them, and a slot is
/// an asynchronous span at each node, with a span in it from each phase to the next.
///
/// A slice needs a length, and slices of one thread must not overlap: each is a microsecond long,
/// and those of one instant stand behind one another.
class ChromeTrace {
 public:
  explicit ChromeTrace(std::ostream& out) : out_(out) { out_ << "{\"traceEvents\":["; }

  void add(const Found& found) {
    const google::protobuf::Message& message = found.printer->parse(found.event);
    const Meaning meaning = meaning_of(message, found.event.payload.view());
    const Place place{found.node.value, found.event.slot.index(),
                      starts_at(found, time_.of(found, meaning, message))};
    introduce(place);
    begin("X", place, meaning.name());
    out_ << ",\"dur\":1,\"cat\":\"" << slot_name(found.event) << "\",\"args\":{\"index\":"
         << found.event.index;
    if (meaning.sn) out_ << ",\"sn\":" << *meaning.sn;
    out_ << ",\"" << (meaning.message.empty() ? "fields" : meaning.type)
         << "\":" << short_json(message) << "}}";
    add_flows(place, meaning);
    if (meaning.sn && meaning.reached != Phase::none) add_phase(place, meaning);
  }

  void finish() { out_ << "\n],\"displayTimeUnit\":\"ns\"}\n"; }

 private:
  static constexpr std::uint64_t slice = 1000;

  struct Place {
    std::uint64_t node = 0;
    std::size_t module = 0;
    std::uint64_t time = 0;
  };

  std::uint64_t starts_at(const Found& found, std::uint64_t time) {
    std::uint64_t& free = free_[{found.node.value, found.event.slot.index()}];
    time = std::max(time, free);
    free = time + slice;
    return time;
  }

  // Microseconds with a fraction; a double would round those of a date.
  static std::string micros(std::uint64_t time) {
    std::string fraction = std::to_string(time % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return std::to_string(time / 1000) + '.' + fraction;
  }

  void begin(std::string_view phase, const Place& place, std::string_view name) {
    out_ << (is_first_ ? "\n" : ",\n") << "{\"ph\":\"" << phase << "\",\"pid\":" << place.node
         << ",\"tid\":" << place.module << ",\"ts\":" << micros(place.time) << ",\"name\":\""
         << name << '"';
    is_first_ = false;
  }

  void introduce(const Place& place) {
    if (known_.insert({place.node, slot_count}).second) {
      begin("M", place, "process_name");
      out_ << ",\"args\":{\"name\":\"node " << place.node << "\"}}";
    }
    if (known_.insert({place.node, place.module}).second) {
      begin("M", place, "thread_name");
      out_ << ",\"args\":{\"name\":\"" << slot_names[place.module] << "\"}}";
    }
  }

  void flow(std::string_view phase, const Place& place, std::string_view name, std::uint64_t id) {
    begin(phase, place, name);
    out_ << ",\"cat\":\"message\",\"bp\":\"e\",\"id\":" << id << '}';
  }

  void add_flows(const Place& place, const Meaning& meaning) {
    if (meaning.direction == Direction::sent) {
      for (const std::uint64_t peer : meaning.peers) {
        const std::uint64_t id = ++flows_;
        const auto receipt = matcher_.sent({place.node, peer, meaning.content}, id);
        flow("s", place, meaning.message, receipt.value_or(id));
      }
    } else if (meaning.direction == Direction::received && meaning.peers.front() != place.node) {
      const std::uint64_t id = ++flows_;
      const auto sending =
          matcher_.received({meaning.peers.front(), place.node, meaning.content}, id);
      flow("f", place, meaning.message, sending.value_or(id));
    }
  }

  void span(std::string_view phase, const Place& place, std::uint64_t sn, const std::string& name) {
    begin(phase, place, name);
    out_ << ",\"cat\":\"slot\",\"id\":\"" << place.node << '.' << sn << "\"}";
  }

  void add_phase(const Place& place, const Meaning& meaning) {
    const std::uint64_t sn = *meaning.sn;
    const auto [open, is_new] = open_.try_emplace({place.node, sn}, Phase::none);
    if (meaning.reached <= open->second) return;
    if (is_new) span("b", place, sn, "sn " + std::to_string(sn));
    if (!is_new) span("e", place, sn, name_of(open->second));
    open->second = meaning.reached;
    if (meaning.reached != Phase::delivered) return span("b", place, sn, name_of(meaning.reached));
    span("e", place, sn, "sn " + std::to_string(sn));
    open_.erase(open);
  }

  static std::string name_of(Phase phase) {
    return std::string(phase_names[static_cast<std::size_t>(phase)]);
  }

  std::ostream& out_;
  EventTime time_;
  MessageMatcher<std::uint64_t> matcher_;
  std::map<std::pair<std::uint64_t, std::size_t>, std::uint64_t> free_;
  std::set<std::pair<std::uint64_t, std::size_t>> known_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Phase> open_;
  std::uint64_t flows_ = 0;
  bool is_first_ = true;
};

}  // namespace mirbft::mircat

#endif
