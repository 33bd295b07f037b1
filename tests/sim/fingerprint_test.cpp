#include <doctest/doctest.h>

#include <mirbft/sim/fingerprint.hpp>

namespace mirbft::sim::fingerprint_test {
namespace {

std::uint64_t of(const char* text) {
  Fingerprint fingerprint;
  fingerprint.add(Bytes(text).view());
  return fingerprint.value();
}

}  // namespace

TEST_CASE("a fingerprint is the same everywhere, and another one for anything else") {
  CHECK(of("the quick brown fox") == 0xe31d5e969d54a658ull);
  CHECK(of("the quick brown fox") != of("the quick brown foy"));
  CHECK(of("") != Fingerprint().value());
}

TEST_CASE("order and limits of what is added count") {
  const auto both = [](const char* first, const char* second) {
    Fingerprint fingerprint;
    fingerprint.add(Bytes(first).view());
    fingerprint.add(Bytes(second).view());
    return fingerprint.value();
  };
  CHECK(both("ab", "c") != both("a", "bc"));
  CHECK(both("a", "b") != both("b", "a"));
}

}  // namespace mirbft::sim::fingerprint_test
