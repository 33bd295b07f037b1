// A Wal that cannot sync: the compiler names the role and the requirement.
// expect: wal.sync()
// expect: IsWal
// expect: Forgetful
// max-errors: 3
#include "../support/small_node.hpp"

using namespace mirbft;
using namespace mirbft::testing;

struct Forgetful {
  void append(std::uint32_t, Bytes, RetentionIndex) {}
  void truncate(RetentionIndex) {}
  void replay(auto&&) {}
};
struct Parts : SmallParts {
  using Wal = Forgetful;
};
NodeOf<Parts>* the_node;
