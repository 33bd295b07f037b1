// The Node of which the other cases here spoil one thing each.
// compiles
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, StubTracker, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
