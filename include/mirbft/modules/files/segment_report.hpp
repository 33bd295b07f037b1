// For operators: what state a log on disk is in, and what can be saved of it.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_REPORT_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_REPORT_HPP

#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/files/files.hpp>
#include <mirbft/modules/files/segment_examination.hpp>
#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/modules/files/segment_recovery.hpp>
#include <mirbft/modules/files/segment_scan.hpp>
#include <mirbft/modules/files/segment_tear.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// The three states of a log.
enum class LogOutcome : std::uint8_t { clean, torn, corrupt };

/// What was found in the directory of a log, and done to it.
struct LogReport {
  LogOutcome outcome = LogOutcome::clean;
  std::uint64_t segments = 0;
  std::uint64_t events = 0;
  /// What a crash has left of the last write.
  std::uint64_t torn_bytes = 0;
  /// The damage: file, offset and reason.
  std::string damage;
  /// What a repair has done, a sentence each.
  std::vector<std::string> repairs;
};

/// For people, in a few lines.
inline std::string to_string(const LogReport& report) {
  std::string text = "clean";
  if (report.outcome == LogOutcome::torn)
    text = "torn: " + std::to_string(report.torn_bytes) +
           " bytes of a write that a crash has interrupted; the next start cuts them off";
  if (report.outcome == LogOutcome::corrupt) text = report.damage;
  text += "\n" + std::to_string(report.events) + " sound records in " +
          std::to_string(report.segments) + " segments\n";
  for (const std::string& repair : report.repairs) text += repair + '\n';
  return text;
}

/// Reads a whole log and changes nothing. Throws ModuleFailure where the disk fails.
template <IsFiles Files>
LogReport verify_log(Files& files) {
  segments::Examiner<Files> examiner(files);
  LogReport report;
  const auto count = [&](const auto& found) {
    report.segments = found.scans.size();
    for (const auto& [id, scan] : found.scans) report.events += scan.events;
  };
  try {
    const auto found = examiner.examine([](std::uint64_t, const segments::Record&) {});
    count(found);
    if (!found.is_torn()) return report;
    report.outcome = LogOutcome::torn;
    report.torn_bytes = found.torn_end - found.scans.rbegin()->second.end;
  } catch (const LogCorruption& corruption) {
    count(examiner.found());
    report.outcome = LogOutcome::corrupt;
    report.damage = corruption.what();
  }
  return report;
}

namespace segments {

/// Makes a damaged log end before the damage. What is cut off stays in files of other names.
template <class Files>
class Surgeon {
 public:
  explicit Surgeon(Files& files) noexcept : files_(files) {}

  /// Returns what was done.
  std::vector<std::string> cut(const LogCorruption& damage,
                               Examination<typename Files::File>& found) {
    for (const std::string& name : files_.list())
      if (const auto id = id_of(name);
          id && (*id > damage.segment() || (*id == damage.segment() && !found.scans.contains(*id))))
        set_aside(name);
    const auto after = found.scans.upper_bound(damage.segment());
    if (after != found.scans.begin()) {
      const auto& [id, scan] = *std::prev(after);
      end_at(id, found.segments.at(id), scan);
    }
    files_.sync();
    return std::move(done_);
  }

 private:
  /// Of an earlier repair the same segment may be there already.
  std::string aside(const std::string& name) const {
    return numbered_name(files_, "damaged-" + name + '-');
  }

  void set_aside(const std::string& name) {
    const std::string copy = aside(name);
    const std::uint64_t size = files_.open(name).size();
    files_.rename(name, copy);
    done_.push_back(files_.path(name) + ": set aside, all " + std::to_string(size) +
                    " bytes, as " + files_.path(copy));
  }
  /// Nothing comes after the last sound group of this segment, not even a seal.
  void end_at(std::uint64_t id, Segment<typename Files::File>& segment, const Scan& scan) {
    std::vector<std::uint8_t> bytes(segment.header.file_size);
    segment.file.read(0, bytes);
    const std::uint64_t end = written_end(bytes, scan.end);
    if (end == scan.end) return;
    const std::string copy = aside(name_of(id));
    keep_copy(files_, copy, bytes);
    segment.file.write(scan.end, std::vector<std::uint8_t>(end - scan.end));
    segment.file.sync();
    done_.push_back(files_.path(name_of(id)) + ": cut off, bytes " + std::to_string(scan.end) +
                    ".." + std::to_string(end - 1) + "; a copy of the whole file is " +
                    files_.path(copy));
  }

  Files& files_;
  std::vector<std::string> done_;
};

}  // namespace segments

/// Makes of any log one that can be opened: what stands before the first damage. Of all that it
/// changes it keeps what was there. A replica has forgotten what was cut off, which may be votes:
/// it must be started as one that has lost its memory.
template <IsFiles Files>
LogReport repair_log(Files& files) {
  LogReport report = verify_log(files);
  std::vector<std::string> repairs;
  while (report.outcome == LogOutcome::corrupt) {
    segments::Examiner<Files> examiner(files);
    try {
      (void)examiner.examine([](std::uint64_t, const segments::Record&) {});
    } catch (const LogCorruption& damage) {
      const auto done = segments::Surgeon<Files>(files).cut(damage, examiner.found());
      repairs.insert(repairs.end(), done.begin(), done.end());
    }
    report = verify_log(files);
  }
  if (!repairs.empty())
    repairs.push_back("records are lost: start this node as one that has lost its memory");
  report.repairs = std::move(repairs);
  return report;
}

}  // namespace mirbft

#endif
