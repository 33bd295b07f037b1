// A struct that is no event.
// expect: event<Note>::emitted_by<Writer>::has_no_destination<Note>
// expect: [mirbft] this type is no event: give it `static constexpr auto destination = slot::...;`
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Note {
  int value = 0;
};
struct Writer : StubTracker {
  using emits = events<Note>;
  using StubTracker::process;
  void process(const NewRequest&, auto& out) { out.emit(Note{1}); }
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Writer, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
