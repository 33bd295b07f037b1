// Which C++ types can travel, and as what.
#include <doctest/doctest.h>

#include <map>

#include <mirbft/wire/kind.hpp>

#include "sample_types.hpp"

namespace mirbft::kind_test {

using wire::Kind;
using wire::kind_of;

static_assert(kind_of<bool> == Kind::number);
static_assert(kind_of<unsigned long long> == Kind::number);
static_assert(kind_of<SignatureCheck> == Kind::number);
static_assert(kind_of<NodeId> == Kind::number);
static_assert(kind_of<std::chrono::milliseconds> == Kind::number);
static_assert(kind_of<Bytes> == Kind::blob);
static_assert(kind_of<std::string> == Kind::blob);
static_assert(kind_of<Digest> == Kind::blob);
static_assert(kind_of<std::array<std::uint8_t, 1>> == Kind::blob);
static_assert(kind_of<sample::Empty> == Kind::record);
static_assert(kind_of<sample::Choice> == Kind::choice);
static_assert(kind_of<std::vector<int>> == Kind::list);
static_assert(kind_of<std::optional<int>> == Kind::maybe);
static_assert(kind_of<Batch> == Kind::list);
static_assert(kind_of<Shared<sample::Empty>> == Kind::record);

static_assert(kind_of<char> == Kind::unknown);
static_assert(kind_of<double> == Kind::unknown);
static_assert(kind_of<const char*> == Kind::unknown);
static_assert(kind_of<std::chrono::duration<double>> == Kind::unknown);
static_assert(kind_of<std::array<std::uint16_t, 4>> == Kind::unknown);
static_assert(kind_of<std::map<int, int>> == Kind::unknown);

static_assert(wire::fixed_size<Bytes> == 0);
static_assert(wire::fixed_size<Digest> == 32);
static_assert(!wire::Single<std::vector<int>>);
static_assert(wire::Message<sample::Choice> && !wire::Message<Digest>);

TEST_CASE("kind: a number that does not fit is told, whatever the type") {
  const auto fits = []<class T>(std::uint64_t number, T value) {
    return wire::from_number(number, value);
  };
  CHECK(fits(255, std::uint8_t{}));
  CHECK_FALSE(fits(256, std::uint8_t{}));
  CHECK_FALSE(fits(2, false));
  CHECK(fits(127, std::int8_t{}));
  CHECK_FALSE(fits(128, std::int8_t{}));
  CHECK(fits(~std::uint64_t{0}, std::int8_t{}));
  CHECK_FALSE(fits(256, SignatureCheck{}));
  CHECK_FALSE(fits(std::uint64_t{1} << 32, sample::Direction{}));
  CHECK(fits(~std::uint64_t{0}, SeqNr{}));
  CHECK_FALSE(fits(std::uint64_t{1} << 31, std::chrono::duration<std::int32_t>{}));
}

}  // namespace mirbft::kind_test
