// A write-ahead log, a request store and an App, each with a mistake.
#ifndef MIRBFT_SIM_ZOO_DISK_HPP
#define MIRBFT_SIM_ZOO_DISK_HPP

#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/sim/zoo/mutant.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim::zoo {

/// Another Wal, with a mistake.
template <class Base>
class Wal {
 public:
  Wal(Base base, Mutant mutant) : base_(std::move(base)), mutant_(mutant) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    if (!is_dropped(type)) base_.append(type, std::move(entry), retention);
  }
  void sync() {
    if (mutant_ != Mutant::log_sync_lies) base_.sync();
  }
  void truncate(RetentionIndex index) {
    // Two epochs are kept behind the stable one; this takes them too, and the next.
    const std::uint64_t too_much = mutant_ == Mutant::log_truncated_early ? 3 : 0;
    base_.truncate(RetentionIndex(index.value + too_much));
  }
  template <class F>
  void replay(F&& f) {
    base_.replay([&](std::uint32_t type, const Bytes& entry) {
      if (!is_forgotten(type)) f(type, entry);
    });
  }
  auto status() const { return base_.status(); }

 private:
  template <class Entry>
  static bool holds(std::uint32_t type) noexcept {
    return type == WalAppend<Entry>::number;
  }
  bool is_dropped(std::uint32_t type) const noexcept {
    switch (mutant_) {
      case Mutant::vote_not_logged: return holds<VoteEntry>(type);
      case Mutant::certificate_not_logged: return holds<PreparedEntry>(type);
      case Mutant::view_change_not_logged: return holds<ViewChangeEntry>(type);
      case Mutant::new_view_not_logged: return holds<NewViewEntry>(type);
      case Mutant::checkpoint_not_logged: return holds<CheckpointEntry>(type);
      default: return false;
    }
  }
  bool is_forgotten(std::uint32_t type) const noexcept {
    switch (mutant_) {
      case Mutant::votes_not_recovered: return holds<VoteEntry>(type);
      case Mutant::certificates_not_recovered: return holds<PreparedEntry>(type);
      case Mutant::views_not_recovered:
        return holds<ViewChangeEntry>(type) || holds<NewViewEntry>(type);
      default: return false;
    }
  }

  Base base_;
  Mutant mutant_;
};

/// Another Store, with a mistake.
template <class Base>
class Store {
 public:
  Store(Base base, Mutant mutant) : base_(std::move(base)), mutant_(mutant) {}

  void put(const RequestRef& reference, Bytes data, Bytes authenticator) {
    base_.put(reference, std::move(data), std::move(authenticator));
  }
  void sync() {
    if (mutant_ != Mutant::store_sync_lies) base_.sync();
  }
  const Request* get(const RequestRef& reference) { return base_.get(reference); }
  void delivered(SeqNr sn, const Batch& batch) { base_.delivered(sn, batch); }
  void collect(Collection collection) {
    if (mutant_ == Mutant::live_payloads_collected)
      collection.through = SeqNr(std::numeric_limits<std::uint64_t>::max() - 1);
    base_.collect(collection);
  }
  auto status() const { return base_.status(); }

 private:
  Base base_;
  Mutant mutant_;
};

/// Another App of the simple kind, with a mistake.
template <class Base>
class App {
 public:
  explicit App(Mutant mutant, Base base = {})
      : base_(std::move(base)), mutant_(mutant) {}

  auto apply(SeqNr sn, std::span<const Request> requests) { return base_.apply(sn, requests); }
  Bytes snapshot() const { return base_.snapshot(); }
  void restore(ByteView state) {
    if (mutant_ != Mutant::app_forgets_on_restore) base_.restore(state);
  }

 private:
  Base base_;
  Mutant mutant_;
};

}  // namespace mirbft::sim::zoo

#endif
