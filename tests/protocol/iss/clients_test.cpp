#include <mirbft/protocol/iss/clients.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss {
namespace {

using Readiness = Clients::Readiness;

RequestRef request(std::uint64_t number, std::uint8_t body = 1, std::uint64_t client = 1) {
  RequestRef reference{ClientId(client), ReqNo(number), {}};
  reference.digest.bytes[0] = body;
  return reference;
}
Readiness ready(Clients& clients, const RequestRef& reference, Wanted wanted = Wanted::no) {
  return clients.ready(reference, 10, wanted);
}
bool claim(Clients& clients, std::uint64_t sn, const RequestRef& reference) {
  return clients.claim(SeqNr(sn), reference.client, reference.req_no);
}

}  // namespace

TEST_CASE("the first body under a number is the one to propose") {
  Clients clients(100);
  CHECK(ready(clients, request(5, 1)) == Readiness::first);
  CHECK(ready(clients, request(5, 1)) == Readiness::again);
  CHECK(ready(clients, request(5, 2)) == Readiness::again);
  CHECK(clients.ready_size(request(5, 1)) == 10);
  CHECK(clients.ready_size(request(5, 2)) == 10);
  CHECK_FALSE(clients.ready_size(request(5, 3)));
  CHECK_FALSE(clients.ready_size(request(6, 1)));
  CHECK_FALSE(clients.ready_size(request(5, 1, 2)));
}

TEST_CASE("bodies outside the window are refused, and take no room") {
  Clients clients(100);
  CHECK(ready(clients, request(100)) == Readiness::refused);
  CHECK(ready(clients, request(~std::uint64_t{0})) == Readiness::refused);
  CHECK(clients.size() == 0);
  CHECK(ready(clients, request(99)) == Readiness::first);
}

TEST_CASE("second bodies are bounded, but for those that a proposal wants") {
  Clients clients(10'000);
  constexpr std::uint64_t many = 5000;
  std::uint64_t kept = 0;
  for (std::uint64_t number = 0; number < many; ++number) {
    ready(clients, request(number, 1));
    ready(clients, request(number, 2));
    kept += clients.ready_size(request(number, 2)).has_value();
  }
  CHECK(kept == 4096);
  REQUIRE_FALSE(clients.ready_size(request(many - 1, 2)));
  ready(clients, request(many - 1, 2), Wanted::yes);
  CHECK(clients.ready_size(request(many - 1, 2)));

  CHECK(clients.deliver(SeqNr(0), request(0, 1)));  // forgets the second body of number 0
  ready(clients, request(many - 2, 2));
  CHECK_FALSE(clients.ready_size(request(many - 2, 2)));
  CHECK(clients.deliver(SeqNr(1), request(1, 1)));
  ready(clients, request(many - 2, 2));
  CHECK(clients.ready_size(request(many - 2, 2)));
}

TEST_CASE("a number is claimed once an epoch") {
  Clients clients(100);
  SUBCASE("with a body") { ready(clients, request(5)); }
  SUBCASE("without one") {}
  CHECK(claim(clients, 1, request(5)));
  CHECK_FALSE(claim(clients, 2, request(5)));
  CHECK_FALSE(claim(clients, 2, request(5, 2)));
  ready(clients, request(5));
  CHECK_FALSE(claim(clients, 2, request(5)));

  clients.unclaim(SeqNr(3), ClientId(1), ReqNo(5));  // it is not the claim of 3
  CHECK_FALSE(claim(clients, 2, request(5)));
  clients.unclaim(SeqNr(1), ClientId(1), ReqNo(5));
  CHECK(claim(clients, 2, request(5)));

  clients.begin_epoch(SeqNr(16));
  CHECK(claim(clients, 17, request(5)));
  CHECK_FALSE(claim(clients, 18, request(5)));
}

TEST_CASE("what is merely claimed makes no client") {
  Clients clients(100);
  CHECK(claim(clients, 1, request(5)));
  CHECK(clients.size() == 0);
  CHECK_FALSE(claim(clients, 1, request(100)));
}

TEST_CASE("a delivery within the epoch does not change what is thought of a proposal") {
  Clients clients(100);
  clients.begin_epoch(SeqNr(16));
  ready(clients, request(5));
  CHECK(clients.deliver(SeqNr(20), request(5)));
  CHECK(claim(clients, 21, request(5)));  // for all that replicas can know alike
  CHECK_FALSE(clients.deliver(SeqNr(21), request(5)));

  clients.begin_epoch(SeqNr(32));
  CHECK_FALSE(claim(clients, 33, request(5)));
  CHECK(ready(clients, request(5, 2)) == Readiness::refused);
}

TEST_CASE("the window slides over what is delivered without a gap") {
  Clients clients(100);
  for (const std::uint64_t number : {0u, 1u, 3u})
    CHECK(clients.deliver(SeqNr(number), request(number)));
  CHECK(clients.windows() == std::vector<ClientWindow>{
                                 {ClientId(1), ReqNo(0), Bytes("\x0b")}});  // 0, 1 and 3
  CHECK(ready(clients, request(101)) == Readiness::refused);
  clients.slide();
  CHECK(clients.windows() == std::vector<ClientWindow>{
                                 {ClientId(1), ReqNo(2), Bytes("\x02")}});  // 3 is 2 + 1
  CHECK(clients.is_delivered(ClientId(1), ReqNo(1)));
  CHECK_FALSE(clients.is_delivered(ClientId(1), ReqNo(2)));
  CHECK(clients.is_delivered(ClientId(1), ReqNo(3)));
  CHECK(ready(clients, request(101)) == Readiness::first);
  CHECK(ready(clients, request(1)) == Readiness::refused);
  CHECK_FALSE(clients.deliver(SeqNr(9), request(1)));
}

TEST_CASE("windows are of clients that have delivered something, in ascending order") {
  Clients clients(100);
  ready(clients, request(0, 1, 9));
  clients.deliver(SeqNr(0), request(1, 1, 7));
  clients.deliver(SeqNr(1), request(1, 1, 3));
  const auto windows = clients.windows();
  REQUIRE(windows.size() == 2);
  CHECK(windows[0].client == ClientId(3));
  CHECK(windows[1].client == ClientId(7));
}

}  // namespace mirbft::iss
