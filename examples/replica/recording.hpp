// An App inside an App: passes everything on, and checks and counts what is delivered.
#ifndef MIRBFT_EXAMPLES_REPLICA_RECORDING_HPP
#define MIRBFT_EXAMPLES_REPLICA_RECORDING_HPP

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "commands.hpp"
#include "countdown.hpp"

namespace quickstart {

/// A sequence number as it goes into the digest of the log.
struct LogEntry {
  mirbft::Digest before;
  mirbft::SeqNr sn;
  std::vector<mirbft::RequestRef> requests;
};

}  // namespace quickstart

BOOST_HANA_ADAPT_STRUCT(quickstart::LogEntry, before, sn, requests);

namespace quickstart {

/// Hashes all parts.
inline mirbft::Digest digest_of(mirbft::Sha256& hasher, std::span<const mirbft::Bytes> parts) {
  for (const mirbft::Bytes& part : parts) hasher.update(part.view());
  return hasher.finish();
}

/// Wraps an App whose input is a `Workload`.
template <class App>
class Recording {
 public:
  Recording(App app, mirbft::Bytes cluster, const Workload& workload, Countdown& countdown)
      : app_(std::move(app)),
        cluster_(std::move(cluster)),
        workload_(&workload),
        countdown_(&countdown),
        seen_(workload.size()) {}

  std::vector<mirbft::Bytes> apply(mirbft::SeqNr sn, std::span<const mirbft::Request> requests) {
    LogEntry entry{log_, sn, {}};
    for (const mirbft::Request& request : requests) {
      count(request);
      const auto parts = mirbft::wire::request_parts(cluster_.view(), request.client,
                                                     request.req_no, request.data);
      entry.requests.push_back({request.client, request.req_no, digest_of(hasher_, parts)});
    }
    last_sn_ = sn;
    const auto bytes = mirbft::wire::canonical("quickstart log", cluster_.view(), entry);
    log_ = digest_of(hasher_, {{bytes}});
    std::vector<mirbft::Bytes> replies = app_.apply(sn, requests);
    countdown_->delivered(requests.size());
    return replies;
  }
  /// All of the App's state.
  mirbft::Bytes snapshot() const { return app_.snapshot(); }
  /// What has changed of it.
  mirbft::FrozenChunks freeze() { return app_.freeze(); }
  mirbft::Bytes frozen(std::uint64_t number) { return app_.frozen(number); }
  void restore(std::span<const mirbft::Bytes> chunks) { app_.restore(chunks); }

  std::uint64_t repeated() const noexcept { return repeated_; }
  std::uint64_t foreign() const noexcept { return foreign_; }
  mirbft::SeqNr last_sn() const noexcept { return last_sn_; }
  const mirbft::Digest& log() const noexcept { return log_; }

 private:
  void count(const mirbft::Request& request) {
    const std::size_t place = workload_->place_of(request.client, request.req_no);
    if (place == workload_->size() || workload_->command(place) != request.data.text()) {
      ++foreign_;
    } else if (seen_[place]) {
      ++repeated_;
    } else {
      seen_[place] = true;
    }
  }

  App app_;
  mirbft::Bytes cluster_;
  const Workload* workload_;
  Countdown* countdown_;
  mirbft::Sha256 hasher_;
  std::vector<bool> seen_;
  std::uint64_t repeated_ = 0;
  std::uint64_t foreign_ = 0;
  mirbft::SeqNr last_sn_;
  mirbft::Digest log_;
};

}  // namespace quickstart

#endif
