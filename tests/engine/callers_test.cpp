#include <mirbft/engine/callers.hpp>

#include <memory>
#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace mirbft::callers_test {

using namespace mirbft::engine;

namespace {

struct Fixture {
  Callers callers;
  std::string heard;

  void expect(std::uint64_t client, std::uint64_t req_no, char name) {
    callers.expect({ClientId(client), ReqNo(req_no),
                    Callback([this, name](const Replied&) { heard += name; })});
  }
  void answer(std::uint64_t client, std::uint64_t req_no) {
    const Replied reply{ClientId(client), ReqNo(req_no), Outcome::delivered, {}, {}};
    callers.answer(reply, [&](Callback& callback) { callback(reply); });
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "each caller hears of his own request, once") {
  expect(1, 1, 'a');
  expect(1, 2, 'b');
  expect(2, 1, 'c');
  CHECK(callers.size() == 3);
  answer(1, 2);
  CHECK(heard == "b");
  answer(1, 2);
  answer(3, 1);
  CHECK(heard == "b");
  answer(2, 1);
  answer(1, 1);
  CHECK(heard == "bca");
  CHECK(callers.size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "several who wait for one request all hear of it, in their order") {
  expect(1, 1, 'a');
  expect(1, 1, 'b');
  expect(1, 1, 'c');
  answer(1, 1);
  CHECK(heard == "abc");
  CHECK(callers.size() == 0);
}

TEST_CASE_FIXTURE(Fixture, "those who are abandoned are named, by client and number") {
  expect(2, 1, 'c');
  expect(1, 2, 'b');
  expect(1, 1, 'a');
  std::string named;
  callers.abandon([&](Callback& callback, ClientId client, ReqNo req_no) {
    named += std::to_string(client.value) + std::to_string(req_no.value) + ' ';
    callback({});
  });
  CHECK(named == "11 12 21 ");
  CHECK(heard == "abc");
  CHECK(callers.size() == 0);
}

TEST_CASE("a callback may be any callable, also one that cannot be copied") {
  auto owned = std::make_unique<int>(0);
  int* const count = owned.get();
  Callback first([owned = std::move(owned)](const Replied&) { ++*owned; });
  first(Replied{});
  Callback second(std::move(first));
  second(Replied{});
  CHECK(*count == 2);
}

}  // namespace mirbft::callers_test
