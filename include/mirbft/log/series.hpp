// A log in several files: their names, in which order they follow, and which are deleted.
//
// A log NAME that goes on from file to file is a series for each run of its Node, and a run's files
// are numbered: NAME-0001.000001.mirlog, NAME-0001.000002.mirlog, and NAME-0002.000001.mirlog after
// a restart. Each is whole in itself, and the indices of events go on from file to file of a run.
#ifndef MIRBFT_LOG_SERIES_HPP
#define MIRBFT_LOG_SERIES_HPP

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mirbft/log/format.hpp>
#include <mirbft/log/options.hpp>

namespace mirbft::log_format {

inline constexpr std::string_view file_ending = ".mirlog";

/// A number in at least so many digits.
inline std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

/// Cuts the number off the end of a name, and what stands between them; nothing if there is none.
inline std::optional<std::uint64_t> cut_number(std::string_view& name, char separator) {
  const std::size_t at = name.rfind(separator);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const std::string_view digits = name.substr(at + 1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  name = name.substr(0, at);
  return number;
}

/// One file of a series.
struct SeriesFile {
  /// What the file's name begins with.
  std::string name;
  std::uint64_t run = 0;
  std::uint64_t number = 0;

  static std::optional<SeriesFile> of(std::string_view file) {
    if (!file.ends_with(file_ending)) return std::nullopt;
    file.remove_suffix(file_ending.size());
    const auto number = cut_number(file, '.');
    if (!number) return std::nullopt;
    const auto run = cut_number(file, '-');
    if (!run) return std::nullopt;
    return SeriesFile{std::string(file), *run, *number};
  }

  /// What all files of the run begin with, and who reads them all is told.
  std::string series() const { return name + '-' + padded(run, 4); }
  std::string file() const { return series() + '.' + padded(number, 6) + std::string(file_ending); }

  friend auto operator<=>(const SeriesFile&, const SeriesFile&) = default;
};

/// The files of all series in a folder, in order; none if it cannot be read.
inline std::vector<SeriesFile> series_files(const std::filesystem::path& folder) {
  std::vector<SeriesFile> files;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder.empty() ? "." : folder, error))
    if (auto file = SeriesFile::of(entry.path().filename().string()))
      files.push_back(std::move(*file));
  std::ranges::sort(files);
  return files;
}

/// The files of the series `path`, in order.
inline std::vector<SeriesFile> files_of_series(const std::filesystem::path& path) {
  auto files = series_files(path.parent_path());
  std::erase_if(files, [series = path.filename().string()](const SeriesFile& file) {
    return file.series() != series;
  });
  return files;
}

/// The files of all runs of the log `path`, in order.
inline std::vector<SeriesFile> files_of_log(const std::filesystem::path& path) {
  auto files = series_files(path.parent_path());
  std::erase_if(files, [name = path.filename().string()](const SeriesFile& file) {
    return file.name != name;
  });
  return files;
}

/// Deletes the oldest of the log's files until no more are left than shall be. The last one stays.
/// Who cannot delete them records nonetheless: that is no reason to stop a Node.
inline void retain(const std::filesystem::path& path, const LogRotation& rotation) {
  const auto files = files_of_log(path);
  std::error_code error;
  std::size_t kept = 0;
  std::uint64_t bytes = 0;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    const auto place = path.parent_path() / file->file();
    const std::uintmax_t size = std::filesystem::file_size(place, error);
    bytes += error ? 0 : size;
    ++kept;
    const bool stays = kept == 1 || ((rotation.keep_files == 0 || kept <= rotation.keep_files) &&
                                     (rotation.keep_bytes == 0 || bytes <= rotation.keep_bytes));
    if (!stays) std::filesystem::remove(place, error);
  }
}

}  // namespace mirbft::log_format

namespace mirbft {

/// The logs in a folder, by their names' order, each as `LogReader` wants to be told: files that
/// begin as an event log does, and series.
inline std::vector<std::string> logs_in(const std::filesystem::path& folder) {
  std::vector<std::string> logs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    if (const auto file = log_format::SeriesFile::of(entry.path().filename().string())) {
      logs.push_back((folder / file->series()).string());
      continue;
    }
    std::array<char, log_format::magic.size()> begin{};
    std::ifstream(entry.path(), std::ios::binary).read(begin.data(), begin.size());
    if (std::equal(begin.begin(), begin.end(), log_format::magic.begin(),
                   [](char one, std::uint8_t other) {
                     return static_cast<std::uint8_t>(one) == other;
                   }))
      logs.push_back(entry.path().string());
  }
  std::ranges::sort(logs);
  logs.erase(std::unique(logs.begin(), logs.end()), logs.end());
  return logs;
}

}  // namespace mirbft

#endif
