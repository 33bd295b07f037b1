#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/leaders.hpp>

#include "stage.hpp"

namespace mirbft::testing::leaders_test {
namespace {

const std::vector<RequestRef> three{reference(1, 0), reference(2, 0), reference(3, 0)};

}  // namespace

TEST_CASE("a silent leader votes, and proposes nothing") {
  SilentLeader leader(powers());
  CHECK(said(leader, proposal(1, three)).empty());
  CHECK(said(leader, NewView{segment, View(1), {}, {}, {}}).empty());
  CHECK(said(leader, prepare(1)).size() == 1);
  CHECK(said(leader, commit(1)).size() == 1);
  CHECK(leader.acted() == 2);
}

TEST_CASE("an equivocating leader tells some a shorter batch, signed, and stands by it") {
  EquivocatingLeader leader(powers());
  std::set<std::size_t> told;
  for (std::uint64_t sn = 0; sn < 8; ++sn)
    for (std::uint64_t to = 1; to < 4; ++to) {
      const PrePrepare one = all<PrePrepare>(said(leader, proposal(sn, three), to)).at(0);
      told.insert(one.batch->size());
      CHECK(is_signed(one));
      // Whoever asks again is told the same, and gets the Commit for it.
      CHECK(all<PrePrepare>(said(leader, proposal(sn, three), to)).at(0).batch == one.batch);
      Commit honest = commit(sn);
      honest.digest = powers().digest_of(proposal(sn, three));
      CHECK(all<Commit>(said(leader, honest, to)).at(0).digest == powers().digest_of(one));
    }
  CHECK(told == std::set<std::size_t>{2, 3});
  CHECK(leader.acted() > 0);
}

TEST_CASE("a leader's lie about a slot is one of view 0") {
  EquivocatingLeader leader(powers());
  for (std::uint64_t to = 1; to < 4; ++to) {
    (void)said(leader, proposal(1, three), to);
    CHECK(all<Commit>(said(leader, commit(1, 1), to)).at(0).digest == commit(1, 1).digest);
  }
}

TEST_CASE("a censoring leader leaves out the same clients, whomever it tells") {
  CensoringLeader leader(powers());
  std::vector<RequestRef> many;
  for (std::uint64_t client = 0; client < 20; ++client) many.push_back(reference(client, 0));
  const auto first = all<PrePrepare>(said(leader, proposal(1, many), 1)).at(0);
  CHECK(first.batch->size() > 0);
  CHECK(first.batch->size() < many.size());
  CHECK(is_signed(first));
  CHECK(all<PrePrepare>(said(leader, proposal(1, many), 2)).at(0).batch == first.batch);
  const auto none = all<PrePrepare>(said(leader, proposal(2, {}), 1)).at(0);
  CHECK(none.batch->empty());
}

TEST_CASE("a duplicating leader proposes again what others have proposed") {
  DuplicatingLeader leader(powers());
  (void)heard(leader, proposal(2, {reference(9, 9)}));
  std::uint64_t of_others = 0;
  std::uint64_t of_itself = 0;
  for (std::uint64_t sn = 10; sn < 50; ++sn) {
    const auto one = all<PrePrepare>(said(leader, proposal(sn, {reference(1, sn)}))).at(0);
    CHECK(is_signed(one));
    if (one.batch->size() == 1) continue;
    REQUIRE(one.batch->size() == 2);
    of_others += one.batch->back() == reference(9, 9);
    of_itself += one.batch->back() != reference(9, 9);
    CHECK(all<PrePrepare>(said(leader, proposal(sn, {reference(1, sn)}), 2)).at(0).batch ==
          one.batch);
  }
  CHECK(of_others > 0);
  CHECK(of_itself > 0);
}

TEST_CASE("an oversizing leader saves up more than anybody has proposed") {
  OversizingLeader leader(powers());
  (void)heard(leader, proposal(1, {three[0], three[1], three[2], reference(4, 0)}));
  CHECK(all<PrePrepare>(said(leader, proposal(2, three))).at(0).batch->empty());
  const auto large = all<PrePrepare>(said(leader, proposal(3, three))).at(0);
  CHECK(large.batch->size() == 6);
  CHECK(is_signed(large));
}

TEST_CASE("who withholds payloads gives them to one replica, and proposes what nobody has") {
  WithheldPayloads leader(powers());
  std::size_t given = 0;
  for (std::uint64_t to = 1; to < 4; ++to) {
    given += said(leader, Relayed{{Request{}}}, to).size();
    given += said(leader, RequestsSupplied{{Request{}}}, to).size();
  }
  CHECK(given == 2);
  std::uint64_t phantoms = 0;
  for (std::uint64_t sn = 0; sn < 10; ++sn) {
    const auto one = all<PrePrepare>(said(leader, proposal(sn, three), 1)).at(0);
    CHECK(is_signed(one));
    CHECK(one.batch->size() == 3);
    phantoms += one.batch->back().digest != three.back().digest;
    CHECK(all<PrePrepare>(said(leader, proposal(sn, three), 2)).at(0).batch == one.batch);
  }
  CHECK(phantoms > 0);
  CHECK(phantoms < 10);
}

}  // namespace mirbft::testing::leaders_test
