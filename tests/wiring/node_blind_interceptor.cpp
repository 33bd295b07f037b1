// An Interceptor that cannot see.
// expect g++: the satisfaction of 'IsInterceptor<Interceptor>' [with Interceptor = Blind]
// expect g++: note: the required expression 'interceptor.intercept(mirbft::slot::node, list)'
// expect clang++: because 'Blind' does not satisfy 'IsInterceptor'
// expect clang++: because 'interceptor.intercept(slot::node, list)' would be invalid
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Blind {
  template <class... Es>
  void begin(NodeId, ByteView, events<Es...>) {}
  void end() {}
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, StubTracker, StubStore,
                     StubProtocol, Blind>;
