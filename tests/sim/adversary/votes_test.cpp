#include <cstdint>
#include <set>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/votes.hpp>

#include "stage.hpp"

namespace mirbft::testing::votes_test {

TEST_CASE("a double voter contradicts itself, each time under its signature") {
  DoubleVotes voter(powers());
  std::uint64_t twice = 0;
  for (std::uint64_t sn = 0; sn < 10; ++sn) {
    const auto votes = all<Prepare>(said(voter, prepare(sn)));
    for (const Prepare& vote : votes) CHECK(is_signed(vote));
    if (votes.size() == 1) continue;
    ++twice;
    CHECK(votes.at(0).digest != votes.at(1).digest);
    CHECK(votes.at(0).sn == votes.at(1).sn);
    CHECK(all<Commit>(said(voter, commit(sn))).size() == 2);
  }
  CHECK(twice > 0);
  CHECK(twice < 10);
}

TEST_CASE("a double voter agrees with everybody") {
  DoubleVotes voter(powers());
  for (const std::uint8_t opinion : {std::uint8_t{1}, std::uint8_t{2}}) {
    Prepare vote = prepare(1);
    vote.digest = digest(opinion);
    const Letters answer = heard(voter, vote, 2);
    REQUIRE(answer.size() == 2);
    for (const Letter& letter : answer) CHECK(letter.to == NodeId(2));
    CHECK(all<Prepare>(answer).at(0).digest == digest(opinion));
    CHECK(is_signed(all<Prepare>(answer).at(0)));
    CHECK(all<Commit>(answer).at(0).digest == digest(opinion));
  }
  const PrePrepare proposed = proposal(3, {reference(1, 1)});
  CHECK(all<Prepare>(heard(voter, proposed)).at(0).digest == powers().digest_of(proposed));
}

TEST_CASE("stale votes are true ones, or true ones in another segment, as they were signed") {
  StaleVotes voter(powers());
  std::uint64_t stale = 0;
  std::uint64_t moved = 0;
  for (std::uint64_t sn = 0; sn < 100; ++sn) {
    Prepare vote = prepare(sn);
    vote.segment.epoch = Epoch(sn / 10);
    powers().sign(vote);
    const auto votes = all<Prepare>(said(voter, vote));
    CHECK(is_signed(votes.back()));
    CHECK(votes.back().sn == SeqNr(sn));
    for (const Prepare& one : votes) {
      CHECK(one.sn <= SeqNr(sn));
      stale += one.sn < SeqNr(sn) && is_signed(one);
      moved += !is_signed(one);
      if (!is_signed(one)) CHECK(one.segment == vote.segment);
    }
  }
  CHECK(stale > 0);
  CHECK(moved > 0);
}

TEST_CASE("what is off by one is signed, and comes beside what is right") {
  OffByOne voter(powers());
  std::set<std::uint64_t> views;
  std::set<std::uint64_t> numbers;
  std::set<std::uint64_t> epochs;
  for (int i = 0; i < 200; ++i) {
    const auto votes = all<Prepare>(said(voter, prepare(5, 1)));
    CHECK(votes.back().digest == prepare(5, 1).digest);
    for (const Prepare& vote : votes) {
      CHECK(is_signed(vote));
      views.insert(vote.view.value);
      numbers.insert(vote.sn.value);
      epochs.insert(vote.segment.epoch.value);
    }
  }
  CHECK(views == std::set<std::uint64_t>{0, 1, 2});
  CHECK(numbers == std::set<std::uint64_t>{4, 5, 6});
  CHECK(epochs == std::set<std::uint64_t>{1, 2, 3});
}

TEST_CASE("wrong digests are signed, the same slots to all, and nothing else is wrong") {
  WrongDigests voter(powers());
  std::uint64_t wrong = 0;
  for (std::uint64_t sn = 0; sn < 10; ++sn) {
    const Prepare one = all<Prepare>(said(voter, prepare(sn))).at(0);
    CHECK(is_signed(one));
    CHECK(one.sn == SeqNr(sn));
    wrong += one.digest != prepare(sn).digest;
    CHECK((all<Commit>(said(voter, commit(sn), 2)).at(0).digest != commit(sn).digest) ==
          (one.digest != prepare(sn).digest));
  }
  CHECK(wrong > 0);
  CHECK(wrong < 10);
  const Done done{segment, {digest(1), digest(2)}};
  CHECK(all<Done>(said(voter, done)).at(0).digests != done.digests);
}

}  // namespace mirbft::testing::votes_test
