// The answer to a question would go nowhere: its origin names no module.
// expect g++: event<mirbft::HashRequest<Question> >::emitted_by<Curious>
// expect clang++: event<mirbft::HashRequest<Question>>::emitted_by<Curious>
// expect: ::is_for_an_origin_without_module<Question>
// expect: [mirbft] nobody could get the answer: give the origin `static constexpr auto module =
// max-errors: 1
// max-lines g++: 13
// max-lines clang++: 25
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/node.hpp>

#include "../support/stub_modules.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Question {
  static constexpr std::uint32_t number = 1000;
};
struct Curious : StubTracker {
  using consumes = events<NewRequest, Applied, HashResult<Question>>;
  using emits = events<HashRequest<Question>>;
  using StubTracker::process;
  void process(const NewRequest&, auto& out) { out.emit(HashRequest<Question>{}); }
  void process(const HashResult<Question>&, auto& /*out*/) {}
};

using Replica = Node<StubNet, StubHasher, StubCrypto, StubApp, StubWal, Curious, StubStore,
                     StubProtocol, NullInterceptor>;

int main() {
  Replica replica({}, {});
  replica.process();
  replica.run({});
}
