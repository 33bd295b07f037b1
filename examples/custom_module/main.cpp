// Modules of one's own, with an event of their own: what each client sends is put to its account.
//
// `MeteringTracker` is the stock Tracker with an ear; `Ledger` is any App with a second duty. They
// know nothing of each other: the Node routes `Metered` from the one to the other, because the
// first says that it emits it and the second that it consumes it. Leave out either line and this
// does not compile, and the error says why.
#include <cstdint>
#include <iostream>
#include <map>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/mirbft.hpp>

using namespace mirbft;

namespace example {

/// A client sent so many bytes. An event is a plain struct with a destination and a number, 1000
/// or above for a user's own.
struct Metered {
  static constexpr auto destination = slot::app;
  static constexpr std::uint32_t number = 1000;

  ClientId client;
  std::uint64_t bytes = 0;
};

/// What a client owes, for the operator.
struct Account {
  ClientId client;
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
  using consumes = ClientTracker::consumes;
  using emits = joined<ClientTracker::emits, events<Metered>>;

  explicit MeteringTracker(TrackerConfig config) : tracker_(std::move(config)) {}

  void process(NewRequest event, auto& out) {
    out.emit(Metered{event.request.client, event.request.data.size()});
    tracker_.process(std::move(event), out);
  }
  template <class E>
  void process(E event, auto& out) {
    tracker_.process(std::move(event), out);
  }

 private:
  ClientTracker tracker_;
};

/// The accounts are this replica's alone and no part of the replicated state: what it was sent
/// depends on more than the order of requests.
template <class App>
class Ledger : public App {
 public:
  using consumes = events<Metered>;

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
  std::map<ClientId, Account> accounts_;
};

using Replica = Node<LoopbackNet, Sha256, NullCrypto, Ledger<KeyValueStore>, NullWal,
                     MeteringTracker, MemoryStore, Solo, NullInterceptor>;

}  // namespace example

int main() {
  const NodeId self(0);
  LoopbackHub hub({self});
  example::Replica replica({.self = self},
                           {.net = LoopbackNet(hub, self),
                            .hasher = {},
                            .crypto = {},
                            .app = {},
                            .wal = {},
                            .tracker = example::MeteringTracker({.cluster = Bytes("mirbft")}),
                            .store = {},
                            .protocol = {}});
  const auto submit = [&](std::uint64_t client, std::uint64_t number, const char* command) {
    replica.submit({ClientId(client), ReqNo(number), Bytes(command), {}}, [](const Replied& reply) {
      std::cout << "client " << reply.client.value << ": " << reply.result.text() << '\n';
    });
  };
  submit(1, 0, "SET greeting hello");
  submit(2, 0, "GET greeting");
  submit(1, 1, "INCR visits");
  while (replica.process() != 0) continue;
  std::cout << wire::to_json(replica.status().app) << '\n';
}
