// Numbers name events in logs.
// expect: event<Red>::and_event<Blue>::have_the_same_number<1000
// expect: [mirbft] numbers name events in logs, so no two events of a Node may share one: give one
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Red {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1000;
};
struct Blue {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1000;
};
struct Painter : StubTracker {
  using consumes = events<NewRequest, Applied, Red, Blue>;
  using emits = events<Red, Blue>;
  using StubTracker::process;
  void process(const Red&, auto& /*out*/) {}
  void process(const Blue&, auto& /*out*/) {}
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Painter, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
