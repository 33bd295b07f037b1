// The engine calls the Store for this event; its `process` would never be called.
// expect: event<mirbft::Deliver>::consumed_by<Busy>::but_handled_by<
// expect: [mirbft] the engine turns this event into calls of the module, so `process` would never
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Busy : StubStore {
  using consumes = events<Deliver>;
  void process(const Deliver&, auto& /*out*/) {}
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, StubTracker, Busy,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
