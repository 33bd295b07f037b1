#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <mirbft/modules/app/counter.hpp>

namespace mirbft::counter_test {

namespace {

/// The replies to one batch of these bodies, with spaces between.
std::string apply(Counter& counter, const std::vector<std::string>& bodies) {
  std::vector<Request> requests;
  for (const std::string& body : bodies)
    requests.push_back({ClientId(1), ReqNo(requests.size()), Bytes(body), {}});
  std::string text;
  for (const Bytes& reply : counter.apply(SeqNr(0), requests))
    text += std::string(reply.text()) + " ";
  return text;
}

}  // namespace

TEST_CASE("the counter counts, and adds what it is told") {
  Counter counter;
  CHECK(apply(counter, {"tick", "", "add 40", "add 0"}) == "1 2 42 42 ");
  CHECK(apply(counter, {}).empty());
  CHECK(counter.value() == 42);
}

TEST_CASE("whatever is not a sum counts one") {
  Counter counter;
  CHECK(apply(counter, {"add", "add ", "add x", "add 1x", "add -5", "add 99999999999999999999"}) ==
        "1 2 3 4 5 6 ");
}

TEST_CASE("sums wrap") {
  Counter counter;
  CHECK(apply(counter, {"add 18446744073709551615", "add 3"}) == "18446744073709551615 2 ");
}

TEST_CASE("a snapshot restores the value, and a wrong one is refused") {
  Counter counter;
  apply(counter, {"add 7"});
  Counter other;
  other.restore(counter.snapshot().view());
  CHECK(other.value() == 7);
  CHECK_THROWS_AS(other.restore(bytes_of("")), ModuleFailure);
  CHECK_THROWS_AS(other.restore(bytes_of("7 ")), ModuleFailure);
  CHECK(other.value() == 7);
}

}  // namespace mirbft::counter_test
