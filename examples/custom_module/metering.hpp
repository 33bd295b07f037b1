// Two modules of one's own: a Tracker with an ear, and an App with a second duty.
//
// `MeteringTracker` is the stock Tracker with an ear; `Ledger` is any App with a second duty. They
// know nothing of each other: the Node routes `Metered` from the one to the other, because the
// first says that it emits it and the second that it consumes it. Leave out either line and this
// does not compile, and the error says why.
#ifndef MIRBFT_EXAMPLES_CUSTOM_MODULE_METERING_HPP
#define MIRBFT_EXAMPLES_CUSTOM_MODULE_METERING_HPP

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/types/id.hpp>

namespace example {

/// A client sent so many bytes. An event is a plain struct with a destination and a number, 1000
/// or above for a user's own.
struct Metered {
  static constexpr auto destination = mirbft::slot::app;
  static constexpr std::uint32_t number = 1000;

  mirbft::ClientId client;
  std::uint64_t bytes = 0;
};

/// What a client owes, for the operator.
struct Account {
  mirbft::ClientId client;
  std::uint64_t requests = 0;
  std::uint64_t bytes = 0;
};

struct LedgerStatus {
  std::vector<Account> accounts;
};

}  // namespace example

// Reflected, they are logged, stored and printed like the library's own.
BOOST_HANA_ADAPT_STRUCT(example::Metered, client, bytes);
BOOST_HANA_ADAPT_STRUCT(example::Account, client, requests, bytes);
BOOST_HANA_ADAPT_STRUCT(example::LedgerStatus, accounts);

namespace example {

class MeteringTracker {
 public:
  using consumes = mirbft::ClientTracker::consumes;
  using emits = mirbft::joined<mirbft::ClientTracker::emits, mirbft::events<Metered>>;

  explicit MeteringTracker(mirbft::TrackerConfig config) : tracker_(std::move(config)) {}

  /// It is in an event log then, and `mircat replay` makes the same Tracker of it.
  const mirbft::TrackerConfig& config() const { return tracker_.config(); }

  void process(mirbft::NewRequest event, auto& out) {
    out.emit(Metered{event.request.client, event.request.data.size()});
    tracker_.process(std::move(event), out);
  }
  template <class E>
  void process(E event, auto& out) {
    tracker_.process(std::move(event), out);
  }

 private:
  mirbft::ClientTracker tracker_;
};

/// The accounts are this replica's alone and no part of the replicated state: what it was sent
/// depends on more than the order of requests.
template <class App>
class Ledger : public App {
 public:
  using App::App;
  using consumes = mirbft::events<Metered>;

  void process(Metered event, auto& /*out*/) {
    Account& account = accounts_[event.client];
    account.client = event.client;
    account.requests += 1;
    account.bytes += event.bytes;
  }

  LedgerStatus status() const {
    LedgerStatus all;
    for (const auto& [client, account] : accounts_) all.accounts.push_back(account);
    return all;
  }

 private:
  std::map<mirbft::ClientId, Account> accounts_;
};

}  // namespace example

#endif
