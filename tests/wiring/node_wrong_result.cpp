// A Hasher whose digest is no Digest.
// expect g++: required for the satisfaction of 'IsHasher<Hasher>' [with Hasher = TextHasher]
// expect g++: note: 'hasher.finish()' does not satisfy return-type-requirement
// expect clang++: because 'TextHasher' does not satisfy 'IsHasher'
// expect clang++: because type constraint 'std::same_as<mirbft::Bytes, mirbft::Digest>'
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct TextHasher {
  void update(ByteView) {}
  Bytes finish() { return {}; }
};

using Replica = Node<StubNet, TextHasher, StubCrypto, StubApp, StubWal, StubTracker, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
