// An event in one line: for people, and in JSON.
#ifndef MIRBFT_MIRCAT_LINE_HPP
#define MIRBFT_MIRCAT_LINE_HPP

#include <string>

#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/found.hpp>
#include <mirbft/mircat/time.hpp>

namespace mirbft::mircat {

/// "12 0.250000000s node 0 protocol Deliver sn: 5 batch { … }". Fields that hold their default, as
/// the number 0, are left out.
inline std::string event_line(const Console& console, const Found& found) {
  const LogEvent& event = found.event;
  std::string line = std::to_string(event.index) + ' ' +
                     console.paint(Ink::dim, time_text(event.time)) + " node " +
                     std::to_string(found.node.value) + ' ' +
                     console.paint(Ink::cyan, slot_name(event)) + ' ' +
                     console.paint(Ink::bold, short_name(event.name));
  const std::string fields = found.printer->text(event);
  return fields.empty() ? line : line + ' ' + fields;
}

/// A JSON object. The event is as protobuf has it, and as there, numbers of 64 bits are texts.
inline std::string event_json(const Found& found) {
  const LogEvent& event = found.event;
  return "{\"index\":" + std::to_string(event.index) + ",\"time\":\"" + std::to_string(event.time) +
         "\",\"node\":" + std::to_string(found.node.value) + ",\"slot\":\"" +
         std::string(slot_name(event)) + "\",\"type\":\"" + std::string(short_name(event.name)) +
         "\",\"event\":" + found.printer->json(event) + '}';
}

}  // namespace mirbft::mircat

#endif
