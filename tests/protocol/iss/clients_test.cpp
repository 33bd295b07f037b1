#include <mirbft/protocol/iss/clients.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::clients_test {
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

/// What `Clients` is meant to do, as plainly as it can be said.
class Model {
 public:
  explicit Model(std::uint64_t window) : window_(window) {}

  bool is_open(const RequestRef& request) {
    const std::uint64_t from = low[request.client];
    return request.req_no.value >= from && request.req_no.value < from + window_;
  }
  bool is_delivered(const RequestRef& request) {
    return request.req_no.value < low[request.client] || delivered.contains(key(request));
  }
  Readiness ready(const RequestRef& request) {
    if (!is_open(request) || is_delivered(request)) return Readiness::refused;
    bodies.insert(request);
    return with_body.insert(key(request)).second ? Readiness::first : Readiness::again;
  }
  bool claim(SeqNr sn, const RequestRef& request) {
    const auto before = delivered.find(key(request));
    if (!is_open(request) || (before != delivered.end() && before->second < first)) return false;
    return claims.try_emplace(key(request), sn).second;
  }
  void unclaim(SeqNr sn, const RequestRef& request) {
    const auto found = claims.find(key(request));
    if (found != claims.end() && found->second == sn) claims.erase(found);
  }
  bool deliver(SeqNr sn, const RequestRef& request) {
    return is_open(request) && delivered.try_emplace(key(request), sn).second;
  }
  void next_epoch(SeqNr begin) {
    for (auto& [client, from] : low)
      while (delivered.contains({client, from})) ++from;
    first = begin;
    claims.clear();
  }

  using Key = std::pair<ClientId, std::uint64_t>;
  static Key key(const RequestRef& request) { return {request.client, request.req_no.value}; }

  SeqNr first;
  std::map<ClientId, std::uint64_t> low;
  std::map<Key, SeqNr> delivered;
  std::map<Key, SeqNr> claims;
  std::set<Key> with_body;
  std::set<RequestRef> bodies;

 private:
  std::uint64_t window_;
};

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

TEST_CASE("it does what the model does, restored from time to time") {
  constexpr std::uint64_t window = 70;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    Clients clients(window);
    Model model(window);
    std::uint64_t sn = 0;
    for (int step = 0; step < 20'000; ++step) {
      const ClientId client(random() % 3);
      const std::uint64_t number = model.low[client] + random() % (window + 10);
      const RequestRef it = request(number - std::min<std::uint64_t>(number, random() % 5),
                                    static_cast<std::uint8_t>(random() % 2), client.value);
      const SeqNr at(sn + random() % 4);
      switch (random() % 5) {
        case 0: REQUIRE(ready(clients, it) == model.ready(it)); break;
        case 1: REQUIRE(claim(clients, at.value, it) == model.claim(at, it)); break;
        case 2:
          clients.unclaim(at, it.client, it.req_no);
          model.unclaim(at, it);
          break;
        case 3: REQUIRE(clients.deliver(at, it) == model.deliver(at, it)); break;
        case 4:
          REQUIRE(clients.is_delivered(it.client, it.req_no) == model.is_delivered(it));
          if (!model.is_delivered(it))
            REQUIRE(clients.ready_size(it).has_value() == model.bodies.contains(it));
          break;
      }
      if (step % 100 != 99) continue;
      sn += 4;
      clients.slide();
      model.next_epoch(SeqNr(sn));
      if (step % 400 == 399) clients.restore(clients.windows());
      clients.begin_epoch(SeqNr(sn));
    }
  }
}

TEST_CASE("windows and what is delivered come back from a checkpoint") {
  Clients clients(1000);
  for (const std::uint64_t number : {0u, 1u, 2u, 5u, 130u, 700u})
    CHECK(clients.deliver(SeqNr(number), request(number)));
  CHECK(clients.deliver(SeqNr(701), request(400, 1, 9)));
  clients.slide();
  const std::vector<ClientWindow> windows = clients.windows();

  Clients restored(1000);
  restored.restore(windows);
  restored.begin_epoch(SeqNr(800));
  CHECK(restored.windows() == windows);
  for (std::uint64_t number = 0; number < 1100; ++number) {
    CAPTURE(number);
    REQUIRE(restored.is_delivered(ClientId(1), ReqNo(number)) ==
            clients.is_delivered(ClientId(1), ReqNo(number)));
  }
  CHECK_FALSE(claim(restored, 800, request(5)));
  CHECK(ready(restored, request(5)) == Readiness::refused);
  CHECK(claim(restored, 800, request(6)));
  CHECK_FALSE(restored.deliver(SeqNr(801), request(400, 1, 9)));
}

TEST_CASE("a state transfer leaves the bodies that may still be proposed") {
  Clients ahead(100);
  for (const std::uint64_t number : {0u, 1u, 2u}) ahead.deliver(SeqNr(number), request(number));
  ahead.deliver(SeqNr(3), request(5));
  ahead.slide();

  Clients clients(100);
  for (std::uint64_t number = 0; number < 8; ++number) ready(clients, request(number));
  ready(clients, request(4, 2));
  ready(clients, request(5, 2));
  ready(clients, request(0, 1, 8));
  CHECK(claim(clients, 1, request(4)));
  clients.restore(ahead.windows());
  clients.begin_epoch(SeqNr(16));
  CHECK(clients.windows() == ahead.windows());
  for (const std::uint64_t number : {3u, 4u, 6u, 7u}) CHECK(clients.ready_size(request(number)));
  CHECK(clients.ready_size(request(4, 2)));
  CHECK_FALSE(clients.ready_size(request(5, 2)));
  CHECK_FALSE(clients.ready_size(request(1)));
  CHECK(clients.ready_size(request(0, 1, 8)));
  CHECK(claim(clients, 16, request(4)));
}

TEST_CASE("a number is claimed by a proposal of this epoch, or by none") {
  Clients clients(100);
  const auto claimed = [&](std::uint64_t number) {
    return clients.claimed_by(ClientId(1), ReqNo(number));
  };
  clients.begin_epoch(SeqNr(0));
  CHECK(claimed(0) == std::nullopt);
  ready(clients, request(0));
  ready(clients, request(1));
  CHECK(claimed(0) == std::nullopt);
  CHECK(claim(clients, 0, request(0)));
  CHECK(claim(clients, 7, request(1)));
  CHECK(claimed(0) == SeqNr(0));
  CHECK(claimed(1) == SeqNr(7));
  clients.unclaim(SeqNr(7), ClientId(1), ReqNo(1));
  CHECK(claimed(1) == std::nullopt);
  clients.begin_epoch(SeqNr(8));
  CHECK(claimed(0) == std::nullopt);
  CHECK(claim(clients, 8, request(1)));
  CHECK(claimed(1) == SeqNr(8));
}

TEST_CASE("bodies that a client has signed with an old key count no more") {
  Clients clients(100);
  const RequestRef first{ClientId(1), ReqNo(0), {}};
  RequestRef other = first;
  other.digest.bytes[0] = 1;
  const RequestRef delivered{ClientId(1), ReqNo(1), {}};
  const RequestRef of_another{ClientId(2), ReqNo(0), {}};
  for (const RequestRef& one : {first, other, delivered, of_another})
    (void)clients.ready(one, 10, Wanted::yes);
  REQUIRE(clients.deliver(SeqNr(3), delivered));
  REQUIRE(clients.claim(SeqNr(4), ClientId(1), ReqNo(0)));
  clients.forget_bodies(ClientId(1));
  clients.begin_epoch(SeqNr(8));
  CHECK_FALSE(clients.ready_size(first));
  CHECK_FALSE(clients.ready_size(other));
  CHECK(clients.ready_size(of_another));
  CHECK(clients.is_delivered(ClientId(1), ReqNo(1)));
  // It may be signed anew, also with the other body.
  CHECK(clients.claim(SeqNr(9), ClientId(1), ReqNo(0)));
  CHECK_FALSE(clients.claim(SeqNr(10), ClientId(1), ReqNo(0)));
  CHECK(clients.ready(other, 10, Wanted::no) == Clients::Readiness::first);
  CHECK(clients.ready_size(other));
  CHECK_FALSE(clients.claim(SeqNr(10), ClientId(1), ReqNo(0)));
}

}  // namespace mirbft::iss::clients_test
