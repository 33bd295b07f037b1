// An event as a command of mircat meets it.
#ifndef MIRBFT_MIRCAT_FOUND_HPP
#define MIRBFT_MIRCAT_FOUND_HPP

#include <string_view>

#include <mirbft/events/event.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::mircat {

/// An event and the log that it stands in. What it points to lives as long as the Logs.
struct Found {
  NodeId node;
  LogEvent event;
  const LogReader* log = nullptr;
  const LogPrinter* printer = nullptr;
};

/// What people call a type: its name without the package.
inline std::string_view short_name(std::string_view full) {
  return full.substr(full.rfind('.') + 1);
}

inline std::string_view slot_name(const LogEvent& event) { return slot_names[event.slot.index()]; }

}  // namespace mirbft::mircat

#endif
