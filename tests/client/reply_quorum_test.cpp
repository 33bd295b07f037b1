#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mirbft/client/reply_quorum.hpp>
#include <mirbft/modules/hasher/openssl.hpp>

namespace mirbft::reply_quorum_test {
namespace {

constexpr ClientId self(7);

std::vector<NodeId> replicas(std::size_t count) {
  std::vector<NodeId> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(NodeId(i));
  return all;
}
ReplyQuorum<Sha256> expecting(std::size_t replicas_of_cluster, std::uint64_t numbers = 1) {
  ReplyQuorum<Sha256> quorum(self, replicas(replicas_of_cluster));
  for (std::uint64_t number = 0; number < numbers; ++number) quorum.expect(ReqNo(number));
  return quorum;
}
Replied result(const std::string& text, std::uint64_t number = 0) {
  return {self, ReqNo(number), Outcome::delivered, SeqNr(3), Bytes(text)};
}
Replied outcome(Outcome what) { return {self, ReqNo(0), what, {}, {}}; }
Digest digest_of(const std::string& text) {
  Sha256 hasher;
  hasher.update(Bytes(text).view());
  return hasher.finish();
}
ClientResult known(const std::string& text, std::uint64_t number = 0) {
  return {ReqNo(number), Bytes(text)};
}

}  // namespace

TEST_CASE("a result is believed once w replicas say the same, whatever f of them say") {
  for (const std::size_t members : {1u, 4u, 6u, 7u, 10u}) {
    CAPTURE(members);
    const std::size_t liars = Quorum(members).faulty();
    auto quorum = expecting(members);
    // All liars agree on one lie, before anybody else answers.
    for (std::size_t i = 0; i < liars; ++i)
      CHECK(quorum.replied(NodeId(i), result("lie")) == std::nullopt);
    for (std::size_t i = liars; i < 2 * liars; ++i)
      CHECK(quorum.replied(NodeId(i), result("truth")) == std::nullopt);
    CHECK(quorum.replied(NodeId(2 * liars), result("truth")) == known("truth"));
    CHECK(quorum.status().believed == 1);
    CHECK(quorum.status().conflicting == liars);
    CHECK(quorum.status().open == 0);
  }
}

TEST_CASE("one replica counts once, and is held to what it said first") {
  auto quorum = expecting(4);
  for (int i = 0; i < 5; ++i) CHECK(!quorum.replied(NodeId(0), result("lie")));
  CHECK(!quorum.replied(NodeId(1), result("truth")));
  CHECK(!quorum.replied(NodeId(1), result("lie")));
  CHECK(quorum.status().conflicting == 1);
  CHECK(quorum.replied(NodeId(2), result("truth")) == known("truth"));
}

TEST_CASE("numbers are told apart, and other clients' results are not ours") {
  auto quorum = expecting(4, 2);
  CHECK(!quorum.replied(NodeId(0), result("a", 0)));
  CHECK(!quorum.replied(NodeId(1), result("a", 1)));
  Replied foreign = result("a");
  foreign.client = ClientId(8);
  CHECK(!quorum.replied(NodeId(2), foreign));
  CHECK(!quorum.replied(NodeId(3), result("a", 2)));
  CHECK(!quorum.replied(NodeId(4), result("a", 0)));
  CHECK(quorum.status().unasked == 3);
  CHECK(quorum.status().open == 2);
  CHECK(quorum.replied(NodeId(2), result("a", 1)) == known("a", 1));
  CHECK(!quorum.replied(NodeId(3), result("a", 1)));
  CHECK(quorum.status().unasked == 4);
}

TEST_CASE("hashes vouch for a result that one replica sends") {
  auto quorum = expecting(4);
  CHECK(!quorum.vouched(NodeId(0), self, ReqNo(0), digest_of("truth")));
  CHECK(!quorum.vouched(NodeId(1), self, ReqNo(0), digest_of("truth")));
  CHECK(!quorum.replied(NodeId(2), result("lie")));
  CHECK(quorum.replied(NodeId(3), result("truth")) == known("truth"));
}

TEST_CASE("a liar that sends ever new results is not kept") {
  auto quorum = expecting(4);
  for (int i = 0; i < 100; ++i)
    CHECK(!quorum.replied(NodeId(0), result("lie " + std::to_string(i))));
  CHECK(quorum.status().conflicting == 99);
  // Its later lies were not kept: hashes alone do not make them results.
  CHECK(!quorum.vouched(NodeId(1), self, ReqNo(0), digest_of("lie 5")));
  CHECK(!quorum.vouched(NodeId(2), self, ReqNo(0), digest_of("lie 5")));
}

TEST_CASE("long lies about all open numbers are not kept, and the truth is believed all the same") {
  constexpr std::uint64_t numbers = 64;
  const std::string lie(std::size_t{1} << 20, 'x');
  const std::string truth(std::size_t{1} << 20, 'y');
  auto quorum = expecting(4, numbers);
  for (std::uint64_t number = 0; number < numbers; ++number)
    CHECK(!quorum.replied(NodeId(0), result(lie, number)));
  CHECK(quorum.status().kept_bytes <= ReplyQuorum<Sha256>::most_kept);
  for (std::uint64_t number = 0; number < numbers; ++number)
    CHECK(!quorum.replied(NodeId(1), result(truth, number)));
  CHECK(quorum.status().kept_bytes <= 2 * ReplyQuorum<Sha256>::most_kept);
  SUBCASE("others send the whole") {
    for (std::uint64_t number = 0; number < numbers; ++number)
      CHECK(quorum.replied(NodeId(2), result(truth, number)) == known(truth, number));
  }
  SUBCASE("others send the hash: who sends the whole again is believed") {
    for (std::uint64_t number = numbers; number-- > 0;) {
      const auto believed =
          quorum.vouched(NodeId(2), self, ReqNo(number), digest_of(truth));
      CHECK(believed.has_value() == (number < 4));
      if (!believed)
        CHECK(quorum.replied(NodeId(1), result(truth, number)) == known(truth, number));
    }
  }
  CHECK(quorum.status().open == 0);
  CHECK(quorum.status().kept_bytes == 0);
}

TEST_CASE("what too many replicas have forgotten is known to be delivered, without a result") {
  auto quorum = expecting(4);
  CHECK(!quorum.replied(NodeId(0), outcome(Outcome::already_delivered)));
  CHECK(!quorum.replied(NodeId(1), outcome(Outcome::already_delivered)));
  SUBCASE("two others still remember it") {
    CHECK(!quorum.replied(NodeId(2), result("truth")));
    CHECK(quorum.replied(NodeId(3), result("truth")) == known("truth"));
  }
  SUBCASE("one had only been asked too early") {
    CHECK(!quorum.replied(NodeId(0), result("truth")));
    CHECK(quorum.replied(NodeId(1), result("truth")) == known("truth"));
  }
  SUBCASE("too few are left") {
    CHECK(quorum.replied(NodeId(2), outcome(Outcome::already_delivered)) ==
          ClientResult{ReqNo(0), std::nullopt});
  }
  CHECK(quorum.status().conflicting == 0);
}

TEST_CASE("nobody waits for a liar: who asks again learns that its request is delivered") {
  const Replied forgot = outcome(Outcome::already_delivered);
  auto quorum = expecting(4);
  CHECK(!quorum.replied(NodeId(0), forgot));
  CHECK(!quorum.replied(NodeId(1), forgot));
  CHECK(!quorum.replied(NodeId(1), forgot));
  CHECK(!quorum.replied(NodeId(2), result("truth")));
  SUBCASE("it says nothing") {}
  SUBCASE("it lies") { CHECK(!quorum.replied(NodeId(3), result("lie"))); }
  CHECK(quorum.replied(NodeId(2), result("truth")) == ClientResult{ReqNo(0), std::nullopt});
  CHECK(quorum.status().conflicting == 0);
}

TEST_CASE("f replicas cannot make a client believe that its request is delivered") {
  const Replied forgot = outcome(Outcome::already_delivered);
  auto quorum = expecting(4);
  for (int i = 0; i < 3; ++i) CHECK(!quorum.replied(NodeId(3), forgot));
  CHECK(!quorum.replied(NodeId(0), outcome(Outcome::overloaded)));
  CHECK(!quorum.replied(NodeId(1), result("truth")));
  CHECK(!quorum.replied(NodeId(3), forgot));
  CHECK(quorum.replied(NodeId(2), result("truth")) == known("truth"));
}

TEST_CASE("refusals decide nothing") {
  auto quorum = expecting(4);
  for (const Outcome what :
       {Outcome::overloaded, Outcome::rejected_window, Outcome::rejected_conflict,
        Outcome::rejected_signature, Outcome::rejected_size, Outcome::shut_down})
    for (std::uint64_t i = 0; i < 4; ++i) CHECK(!quorum.replied(NodeId(i), outcome(what)));
  CHECK(quorum.status().refused == 24);
  CHECK(quorum.status().open == 1);
  CHECK(!quorum.replied(NodeId(0), result("truth")));
  CHECK(quorum.replied(NodeId(1), result("truth")) == known("truth"));
}

}  // namespace mirbft::reply_quorum_test
