// Nobody could say when a broadcast has been processed.
// expect: event<Alarm>::emitted_by<Guard>::goes_to_several_and_has_follow_ups<Alarm>
// expect: [mirbft] a broadcast has no follow-ups: chain them to an event with a single destination
// max-errors: 1
// max-lines g++: 15
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Alarm {
  static constexpr auto destination = slot::wal | slot::net;
  static constexpr std::uint32_t number = 1000;
};
struct Guard : StubTracker {
  using emits = events<Alarm, Replied>;
  using StubTracker::process;
  void process(const NewRequest&, auto& out) { out.emit(Alarm{}).then(Replied{}); }
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Guard, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
