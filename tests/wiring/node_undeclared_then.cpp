// The same in a follow-up, and in what follows that.
// expect: event<mirbft::Tick>::emitted_by<Talker>::is_not_declared_among<mirbft::events<mirbft::R
// expect: event<mirbft::Halt>::emitted_by<Talker>::is_not_declared_among<mirbft::events<mirbft::R
// expect: [mirbft] this module emits an event that it does not declare: add the event to the
// max-errors: 2
// max-lines g++: 32
// max-lines clang++: 60
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Talker : StubTracker {
  using emits = events<Replied>;
  using StubTracker::process;
  void process(const NewRequest&, auto& out) {
    out.emit(Replied{}).then(Tick{}, chain(Replied{}).then(Halt{}));
  }
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Talker, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
