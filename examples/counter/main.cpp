// A replicated service, complete: the App, the nine modules of its replica, and three requests.
#include <iostream>
#include <mirbft/mirbft.hpp>

using namespace mirbft;

class Visitors {  // the service: it counts requests, and knows nothing of events or replicas
 public:
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    std::vector<Bytes> results;
    for (const Request& request : requests) {
      const std::string name(request.data.text());
      results.emplace_back(name + " is visitor " + std::to_string(++count_));
    }
    return results;
  }
  Bytes snapshot() const { return Bytes(std::to_string(count_)); }
  void restore(ByteView state) { count_ = std::stoull(std::string(state.begin(), state.end())); }

 private:
  std::uint64_t count_ = 0;
};

using Replica = Node<LoopbackNet, Sha256, NullCrypto, Visitors, NullWal, ClientTracker, MemoryStore,
                     Solo, NullInterceptor>;

int main() {
  const NodeId self(0);
  LoopbackHub hub({self});
  Replica replica({.self = self}, {.net = LoopbackNet(hub, self),
                                   .hasher = {},
                                   .crypto = {},
                                   .app = {},
                                   .wal = {},
                                   .tracker = ClientTracker({.cluster = Bytes("mirbft")}),
                                   .store = {},
                                   .protocol = {}});
  std::uint64_t number = 0;
  for (const char* name : {"Ada", "Barbara", "Leslie"})
    replica.submit({ClientId(1), ReqNo(number++), Bytes(name), {}}, [](const Replied& reply) {
      std::cout << to_string(reply.outcome) << ": " << reply.result.text() << '\n';
    });
  while (replica.process() != 0) continue;
}
