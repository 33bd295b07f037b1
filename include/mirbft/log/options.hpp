// How an event log is written: how soon, how compressed, in how many files.
#ifndef MIRBFT_LOG_OPTIONS_HPP
#define MIRBFT_LOG_OPTIONS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <mirbft/log/compression.hpp>

namespace mirbft {

/// When a log goes on in the next file, and which of its files stay. Zero is no limit.
struct LogRotation {
  /// A file that has become so long is followed by another.
  std::uint64_t bytes = 0;
  /// So is a file whose first list is so old.
  std::chrono::nanoseconds age{};
  /// The oldest files of the same name, of earlier runs too, are deleted until no more are left
  /// than so many, and until they are no longer together than so many bytes. The file that is
  /// being written counts and always stays. It is looked after when a file is begun.
  std::size_t keep_files = 0;
  std::uint64_t keep_bytes = 0;
};

/// How a log is written.
struct LogOptions {
  /// How long a list may wait for others, to be written together with them. That costs less, and
  /// compresses better, and a kill of the process loses what waits. Time is looked at as lists
  /// come, so after the last one it is until `flush`. Zero: each list is written at once.
  std::chrono::nanoseconds gather{};
  Compression compression = Compression::none;
  /// With it, the log is a series of files; see log/series.hpp.
  std::optional<LogRotation> rotation;
};

}  // namespace mirbft

#endif
