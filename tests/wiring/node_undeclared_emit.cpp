// A module that emits more than it declares. The compiler also names the line.
// expect: event<mirbft::Replied>::emitted_by<Talker>::is_not_declared_among<mirbft::events<>
// expect: [mirbft] this module emits an event that it does not declare: add the event to the
// expect: node_undeclared_emit.cpp:19:
// expect clang++: fits<mirbft::Replied, Talker, mirbft::events<>>
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Talker : StubTracker {
  using StubTracker::process;
  void process(const NewRequest&, auto& out) { out.emit(Replied{}); }
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Talker, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
