// What a module has to say it emits.
// expect: event<mirbft::Tick>::consumed_by<Eager>::with_process_returning<bool>
// expect: [mirbft] `process` must be declared to return void: what it has to say it emits into
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Eager : StubTracker {
  using consumes = events<NewRequest, Applied, Tick>;
  using StubTracker::process;
  bool process(const Tick&, auto& /*out*/) { return true; }
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Eager, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
