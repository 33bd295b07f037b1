// The event log of a replica, where its configuration asks for one.
#ifndef MIRBFT_EXAMPLES_KV_RECORDER_HPP
#define MIRBFT_EXAMPLES_KV_RECORDER_HPP

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include <mirbft/log/options.hpp>
#include <mirbft/log/zstd.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/interceptor/optional.hpp>
#include <mirbft/types/errors.hpp>

#include "config.hpp"

namespace kv {

using Recorder = mirbft::OptionalInterceptor<mirbft::FileInterceptor>;

inline mirbft::LogOptions log_options(const EventLog& log) {
  mirbft::LogRotation rotation;
  rotation.bytes = log.rotate_bytes;
  rotation.age = std::chrono::seconds(log.rotate_seconds);
  rotation.keep_files = log.keep_files;
  mirbft::LogOptions made;
  made.gather = std::chrono::milliseconds(log.gather_ms);
  if (log.compression == "zstd") made.compression = mirbft::Compression::zstd;
  made.rotation = rotation;
  return made;
}

/// Begins a run of the log `node-ID` in the directory, which is made if need be. Throws ConfigError
/// if that cannot be.
inline Recorder recorder(const Config& config) {
  const std::filesystem::path directory = config.event_log.directory;
  if (directory.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    throw mirbft::ConfigError("event_log.directory", directory,
                              error.message() + ": must be a directory that this user can write");
  const auto name = directory / ("node-" + std::to_string(config.self.value));
  return Recorder(mirbft::FileInterceptor(name, log_options(config.event_log)));
}

}  // namespace kv

#endif
