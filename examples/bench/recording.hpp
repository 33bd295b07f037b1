// Recording that is chosen at start: an event log of each node, or none.
#ifndef MIRBFT_EXAMPLES_BENCH_RECORDING_HPP
#define MIRBFT_EXAMPLES_BENCH_RECORDING_HPP

#include <chrono>
#include <string>

#include <mirbft/log/zstd.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/interceptor/optional.hpp>

#include "options.hpp"

namespace bench {

using EitherInterceptor = mirbft::OptionalInterceptor<mirbft::FileInterceptor>;

/// Records below `options.record` unless that is empty.
inline EitherInterceptor recorder(const Options& options, mirbft::NodeId node) {
  if (options.record.empty()) return {};
  mirbft::LogOptions log;
  log.gather = std::chrono::milliseconds(options.record_gather);
  if (options.record_compression == "zstd") log.compression = mirbft::Compression::zstd;
  return EitherInterceptor(mirbft::FileInterceptor(
      options.record + "/node-" + std::to_string(node.value) + ".mirlog", log));
}

}  // namespace bench

#endif
