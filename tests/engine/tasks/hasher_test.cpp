#include <mirbft/engine/tasks/hasher.hpp>

#include <cstdint>

#include <doctest/doctest.h>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

namespace mirbft::hasher_test {

using namespace mirbft::testing;

namespace {

/// Whose digest says how many parts and bytes it was given since the last.
struct CountingHasher {
  Digest digest;
  void update(ByteView bytes) {
    ++digest.bytes[0];
    digest.bytes[1] = static_cast<std::uint8_t>(digest.bytes[1] + bytes.size());
  }
  Digest finish() { return std::exchange(digest, {}); }
};
struct Asked {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 1000;

  std::uint64_t value = 0;
};
static_assert(HashRequest<Asked>::number != HashResult<Asked>::number);

}  // namespace

TEST_CASE("the parts of a request are hashed as one, and the digest goes to its origin") {
  CountingHasher hasher;
  engine::TaskOf<slot::hasher.index(), CountingHasher, StubProtocol> task{NodeConfig{}};
  Recorder out;
  for (std::uint64_t i = 0; i < 2; ++i) {
    task.process(hasher, HashRequest<Asked>{{Bytes("ab"), Bytes("c")}, Asked{i}}, out);
    const auto result = out.take<HashResult<Asked>>();
    CHECK(result.digest.bytes[0] == 2);
    CHECK(result.digest.bytes[1] == 3);
    CHECK(result.origin.value == i);
  }
  CHECK(out.empty());
}

}  // namespace mirbft::hasher_test
