// The App's answer finds nobody: the Tracker does not handle it.
// expect: event<mirbft::Applied>::emitted_by<mirbft::testing::StubApp>::is_not_handled_by<Careless>
// expect: [mirbft] nobody handles this event: add it to `consumes` of the module in its
// expect: fits<mirbft::Applied, mirbft::testing::StubApp, Careless>
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Careless {
  using consumes = events<NewRequest>;
  using emits = events<>;

  void process(const NewRequest&, auto& /*out*/) {}
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Careless, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
