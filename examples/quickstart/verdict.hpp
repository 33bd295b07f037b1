// Whether the replicas' last reports agree, and with what was to be delivered.
#ifndef MIRBFT_EXAMPLES_QUICKSTART_VERDICT_HPP
#define MIRBFT_EXAMPLES_QUICKSTART_VERDICT_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "../replica/report.hpp"

namespace quickstart {

/// What is wrong, one sentence each; empty if all replicas have delivered each of `commands`
/// exactly once, in the same order, with the same outcome. Replica i made `reports[i]`.
inline std::vector<std::string> objections(const std::vector<Report>& reports,
                                           std::uint64_t commands) {
  std::vector<std::string> found;
  const auto name = [](std::size_t replica) { return "replica " + std::to_string(replica); };
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Report& report = reports[i];
    const auto object = [&](bool wrong, const std::string& what) {
      if (wrong) found.push_back(name(i) + what);
    };
    const auto count = [](std::uint64_t number) { return std::to_string(number); };
    object(report.delivered != commands,
           " delivered " + count(report.delivered) + " of " + count(commands) + " requests");
    object(report.repeated != 0, " delivered " + count(report.repeated) + " requests again");
    object(report.foreign != 0,
           " delivered " + count(report.foreign) + " requests that nobody was to submit");
    object(report.refused != 0,
           " refused " + count(report.refused) + " requests (" + report.refusal + ')');
    const Report& first = reports.front();
    object(report.last_sn != first.last_sn || report.log != first.log,
           " has another order than " + name(0));
    object(report.store != first.store, " has another store than " + name(0));
  }
  return found;
}

}  // namespace quickstart

#endif
