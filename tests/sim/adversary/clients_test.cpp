#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/clients.hpp>

namespace mirbft::sim::byzantine::clients_test {
namespace {

const ClientId self(100);
const Request honest{ClientId(1), ReqNo(5), Bytes("honest"), Bytes("signed by 1")};

template <class C>
C client() {
  return C(self, {NodeId(0), NodeId(1), NodeId(2), NodeId(3)},
           [](const Request& request) {
             return Bytes("signed by " + std::to_string(request.client.value));
           },
           Random(1));
}

}  // namespace

TEST_CASE("forged requests are in another's name, and not what that one has signed") {
  auto forger = client<ForgedRequests>();
  CHECK(forger.act().empty());
  forger.overhear(honest);
  for (int i = 0; i < 50; ++i) {
    const auto errands = forger.act();
    REQUIRE(errands.size() == 1);
    CHECK(errands[0].request.client == ClientId(1));
    CHECK(errands[0].request.data != honest.data);
  }
  CHECK(forger.acted() == 50);
}

TEST_CASE("replayed requests are what others have signed, byte for byte") {
  auto replayer = client<ReplayedRequests>();
  CHECK(replayer.act().empty());
  replayer.overhear(honest);
  CHECK(replayer.act().at(0).request == honest);
}

TEST_CASE("of two payloads under one number each replica gets one, both signed") {
  auto liar = client<TwoPayloads>();
  for (std::uint64_t number = 0; number < 20; ++number) {
    std::set<NodeId> to;
    std::set<Bytes> bodies;
    for (const Errand& errand : liar.act()) {
      to.insert(errand.to);
      bodies.insert(errand.request.data);
      CHECK(errand.request.req_no == ReqNo(number));
      CHECK(errand.request.authenticator == Bytes("signed by 100"));
    }
    CHECK(to.size() == 4);
    CHECK(bodies.size() <= 2);
  }
}

TEST_CASE("a flood over the window has numbers in it and far beyond, all its own") {
  auto flooder = client<WindowFlood>();
  std::size_t beyond = 0;
  std::size_t near = 0;
  for (int i = 0; i < 20; ++i)
    for (const Errand& errand : flooder.act()) {
      CHECK(errand.request.client == self);
      beyond += errand.request.req_no > ReqNo(1u << 20);
      near += errand.request.req_no < ReqNo(1u << 10);
    }
  CHECK(beyond > 0);
  CHECK(near > 0);
}

TEST_CASE("malformed requests are signed, and some are too long") {
  auto client_ = client<MalformedRequests>();
  std::size_t longest = 0;
  for (int i = 0; i < 200; ++i) {
    const Errand errand = client_.act().at(0);
    CHECK(errand.request.authenticator == Bytes("signed by 100"));
    longest = std::max(longest, errand.request.data.size());
  }
  CHECK(longest > 64 * 1024);
}

}  // namespace mirbft::sim::byzantine::clients_test
