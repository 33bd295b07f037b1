// A Node's work loop, to be disassembled by check.py: `work` runs everything that is pending.
//
// MIRBFT_WITH_VIRTUAL and MIRBFT_WITH_STD_VISIT put in what must be found.
#include "../support/small_node.hpp"

#ifdef MIRBFT_WITH_VIRTUAL
// Not in the nameless namespace: there the compiler would know that nobody implements it.
struct Service {
  virtual ~Service() = default;
  virtual mirbft::Bytes answer(const mirbft::Request& request) = 0;
};
extern "C" Service* the_service();
#endif

namespace {

using namespace mirbft;
using namespace mirbft::testing;

#ifdef MIRBFT_WITH_STD_VISIT
template <int>
struct Case {
  int value = 0;
};
using Cases = std::variant<Case<0>, Case<1>, Case<2>, Case<3>, Case<4>, Case<5>, Case<6>, Case<7>,
                           Case<8>, Case<9>, Case<10>, Case<11>, Case<12>>;
extern "C" Cases* the_case();
#endif

struct Counting {
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    count += requests.size();
#ifdef MIRBFT_WITH_VIRTUAL
    return {the_service()->answer(requests.front())};
#else
#ifdef MIRBFT_WITH_STD_VISIT
    count += static_cast<std::uint64_t>(
        std::visit([](auto& it) { return ++it.value; }, *the_case()));
#endif
    return std::vector<Bytes>(requests.size());
#endif
  }
  Bytes snapshot() { return {}; }
  void restore(ByteView) {}

  std::uint64_t count = 0;
};

struct Parts : SmallParts {
  using App = Counting;
};
using Plan = NodeOf<Parts>::Plan;

}  // namespace

using Core = engine::Core<Plan, NullInterceptor>;

extern "C" std::size_t work(Core& core) { return core.dispatch_all(); }
