// A Node with modules of one's own and an event of their own: what each client sends is put to its
// account. The modules are in metering.hpp.
#include <cstdint>
#include <iostream>

#include <mirbft/mirbft.hpp>

#include "metering.hpp"

using namespace mirbft;

namespace example {

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
