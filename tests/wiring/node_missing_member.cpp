// A Net that cannot flush.
// expect g++: required for the satisfaction of 'IsNet<Net>' [with Net = DeafNet]
// expect g++: note: the required expression 'net.flush()' is invalid
// expect clang++: because 'DeafNet' does not satisfy 'IsNet'
// expect clang++: because 'net.flush()' would be invalid: no member named 'flush' in 'DeafNet'
// max-lines g++: 30
// max-lines clang++: 40
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct DeafNet {
  void send(NodeId, FrameClass, const Bytes&) {}
  void poll(auto&&, std::chrono::nanoseconds, std::size_t) {}
  void wake() {}
  void close() {}
};

using Replica = Node<DeafNet, StubHasher, StubCrypto, StubApp, StubWal, StubTracker, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
