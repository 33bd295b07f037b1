// What an operator does about a replica whose logs are damaged.
#ifndef MIRBFT_EXAMPLES_KV_REPAIR_HPP
#define MIRBFT_EXAMPLES_KV_REPAIR_HPP

#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>

#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/files/segment_report.hpp>
#include <mirbft/types/id.hpp>

#include "config.hpp"
#include "data_directory.hpp"

namespace kv {

/// Says what state both logs are in. If one is damaged, the next start will be one without memory:
/// votes may be among what is lost, and a replica that forgot them alone could vote twice.
/// Throws ConfigError for a wrong directory, ModuleFailure if a replica uses it.
inline void repair(const Config& config, std::ostream& out) {
  DataDirectory directory(config);
  if (directory.memory() == mirbft::Memory::lost) {
    out << "its memory is lost already: start it, and it learns from the others" << std::endl;
    return;
  }
  bool is_damaged = false;
  for (const std::string& path : {directory.wal(), directory.store()}) {
    mirbft::PosixFiles files(path);
    const mirbft::LogReport report = mirbft::verify_log(files);
    out << path << ": " << to_string(report) << std::flush;
    is_damaged |= report.outcome == mirbft::LogOutcome::corrupt;
  }
  if (!is_damaged) {
    out << "nothing is damaged, and nothing was changed" << std::endl;
    return;
  }
  directory.give_up();
  out << "the next start sets both logs aside and begins without memory: the node learns from the "
         "others, and\nvotes again once that is safe. Do this to no more nodes at once than may "
         "fail."
      << std::endl;
}

}  // namespace kv

#endif
