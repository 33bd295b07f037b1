// A Net is called by one thread.
// expect: [mirbft] a Net cannot run on a pool: use inline_<Net> or on_thread<Net>
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

using Replica = Node<on_pool<StubNet, 2>, StubHasher, StubCrypto, StubApp, StubWal, StubTracker,
                     StubStore, StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
