// `mircat wal ls|verify|repair`: the segments of a write-ahead log, or of a store of requests.
#ifndef MIRBFT_MIRCAT_WAL_HPP
#define MIRBFT_MIRCAT_WAL_HPP

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/imagined_files.hpp>
#include <mirbft/mircat/table.hpp>
#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/files/segment_examination.hpp>
#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/modules/files/segment_report.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

namespace detail {

inline bool has_segments(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::directory_iterator at(directory, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error))
    if (segments::id_of(at->path().filename().string())) return true;
  return false;
}

}  // namespace detail

/// The directories with segments that are meant: this one, or those in it, as `wal` and `store`
/// in a replica's. Throws ConfigError if there is none; makes nothing.
inline std::vector<std::string> segment_directories(const std::string& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(directory, error))
    throw ConfigError("directory", directory,
                      "is none: name the directory of a SegmentWal or a SegmentStore");
  std::vector<std::string> found;
  if (detail::has_segments(directory)) found.push_back(directory);
  for (fs::directory_iterator at(directory, error); !error && at != fs::directory_iterator();
       at.increment(error))
    if (at->is_directory(error) && detail::has_segments(at->path()))
      found.push_back(at->path().string());
  if (found.empty())
    throw ConfigError("directory", directory,
                      "no segment of a log is here: name the directory of a SegmentWal or a "
                      "SegmentStore, or of a replica that has these");
  std::ranges::sort(found);
  return found;
}

/// What the three commands have in common. The directory is locked meanwhile: a replica that runs
/// has it, and is not to be disturbed.
class WalCommand {
 public:
  void options(Options& options) {
    options.required("directory", "of a write-ahead log or a store, or of a replica with these",
                     &directory_);
  }

 protected:
  const std::string& directory() const noexcept { return directory_; }

  /// Calls `look(path, files)` for each; the status is the worst.
  template <class Look>
  int for_each(Look&& look) const {
    int status = status::ok;
    for (const std::string& path : segment_directories(directory_)) {
      PosixFiles files(path);
      status = std::max(status, look(path, files));
    }
    return status;
  }

 private:
  std::string directory_;
};

/// Lists segments.
class WalLs : public WalCommand {
 public:
  static constexpr std::string_view name = "wal ls";
  static constexpr std::string_view about = "list the segments of a write-ahead log";
  static constexpr std::string_view examples = "  mircat wal ls data/replica-0/wal\n";

  int run(Console& console) {
    Table table({"segment", " node", "cluster", "content", " first", " records", " used", " size",
                 "state"});
    const int status = for_each([&](const std::string& path, PosixFiles& files) {
      return add(console, table, path, files);
    });
    table.print(console);
    return status;
  }

 private:
  static int add(Console& console, Table& table, const std::string& path, PosixFiles& files) {
    segments::Examiner<PosixFiles> examiner(files);
    int status = status::ok;
    segments::Examination<PosixFile> found;
    try {
      found = examiner.examine([](std::uint64_t, const segments::Record&) {});
    } catch (const LogCorruption& damage) {
      console.err() << "mircat: " << damage.what() << '\n';
      found = std::move(examiner.found());
      status = status::finding;
    }
    for (const auto& [id, scan] : found.scans) {
      const segments::Header& header = found.segments.at(id).header;
      const bool is_torn = id == found.scans.rbegin()->first && found.is_torn();
      table.add({path + '/' + segments::name_of(id), std::to_string(header.node.value),
                 header.cluster, to_string(header.content), std::to_string(header.first_index),
                 std::to_string(scan.events), size_text(scan.end), size_text(header.file_size),
                 is_torn ? "torn" : scan.sealed ? "full" : "open"});
    }
    return status;
  }
};

/// Says whether a log can be opened, and what is wrong with it.
class WalVerify : public WalCommand {
 public:
  static constexpr std::string_view name = "wal verify";
  static constexpr std::string_view about = "check a write-ahead log; 1 for damage";
  static constexpr std::string_view examples = "  mircat wal verify data/replica-0\n";

  int run(Console& console) {
    return for_each([&](const std::string& path, PosixFiles& files) {
      const LogReport report = verify_log(files);
      console.out() << path << ": " << to_string(report);
      return report.outcome == LogOutcome::corrupt ? status::finding : status::ok;
    });
  }
};

/// Makes of a damaged log one that can be opened, if told so twice.
class WalRepair : public WalCommand {
 public:
  static constexpr std::string_view name = "wal repair";
  static constexpr std::string_view about = "cut a write-ahead log off before its damage";
  static constexpr std::string_view examples =
      "  mircat wal repair data/wal        says what it would do\n"
      "  mircat wal repair data/wal --yes  does it\n"
      "A replica of mirbft-kv must know that it has forgotten votes, or it may vote twice: its\n"
      "logs are repaired by mirbft-kv --config FILE --repair, and not by this.\n";

  void options(Options& options) {
    WalCommand::options(options);
    options.optional("--yes", "do it; without this, only say what would be done", &yes_);
  }

  /// Throws ConfigError, and changes nothing, if any of the logs is a mirbft-kv's.
  int run(Console& console) {
    for (const std::string& path : segment_directories(directory()))
      if (yes_ && is_of_kv(path))
        throw ConfigError("--yes", path,
                          std::string("is a mirbft-kv's, which must know that it has forgotten "
                                      "votes: repair it by ") + kv_repair);
    return for_each([&](const std::string& path, PosixFiles& files) {
      const LogReport found = verify_log(files);
      if (found.outcome != LogOutcome::corrupt) {
        console.out() << path << ": nothing to repair: " << to_string(found);
        return status::ok;
      }
      if (yes_) {
        console.out() << path << ": repaired: " << to_string(repair_log(files));
        return status::ok;
      }
      console.out() << path << ": " << to_string(found);
      is_of_kv(path) ? tell_of_kv(console, path) : rehearse(console, files);
      return status::finding;
    });
  }

 private:
  static constexpr const char* kv_repair = "mirbft-kv --config FILE --repair";

  /// What a repair would do, to the byte: it is done to files that are only imagined.
  static void rehearse(Console& console, PosixFiles& files) {
    ImaginedFiles imagined(files);
    const LogReport after = repair_log(imagined);
    console.out() << "would be done:\n";
    for (const std::string& repair : after.repairs) console.out() << "  " << repair << '\n';
    console.out() << "would be left: " << after.events << " sound records in " << after.segments
                  << " segments\nNothing is changed yet: --yes does it\n";
  }

  static void tell_of_kv(Console& console, const std::filesystem::path& path) {
    console.out() << "Nothing is changed yet: " << kv_repair << " makes the next start set all of "
                  << "it aside, as\n" << (path / "").parent_path().string()
                  << ".left- and a number, and learn from the other replicas\n";
  }

  /// Whether a replica says, in its node.json, that its logs are whole. A link is in two places.
  static bool is_of_kv(const std::filesystem::path& directory) {
    namespace fs = std::filesystem;
    const auto has_marker = [](const fs::path& place) { return fs::exists(place / "node.json"); };
    const fs::path named = (fs::absolute(directory) / "").lexically_normal().parent_path();
    return has_marker(named) || has_marker(named.parent_path()) ||
           has_marker(fs::canonical(directory).parent_path());
  }

  bool yes_ = false;
};

}  // namespace mirbft::mircat

#endif
