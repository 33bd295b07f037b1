#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/adversary/certificates.hpp>

#include "stage.hpp"

namespace mirbft::testing::certificates_test {
namespace {

constexpr iss::SlotRange slots{SeqNr(1), 4, 4};

Certificate certificate(std::uint64_t sn) {
  Certificate made{View(0), SeqNr(sn), digest(7), {}};
  for (std::uint64_t node = 0; node < 3; ++node) {
    Prepare vote = prepare(sn);
    if (node != 0) vote.signature = Bytes("of another");
    made.signatures.push_back({NodeId(node), vote.signature});
  }
  return made;
}
ViewChange change(std::uint64_t sender, const std::vector<std::uint64_t>& prepared) {
  ViewChange made{segment, View(2), NodeId(sender), {}, {}, {}};
  for (const std::uint64_t sn : prepared) {
    made.certificates.push_back(certificate(sn));
    made.claims.push_back({View(0), SeqNr(sn), digest(7)});
  }
  if (sender == 0) powers().sign(made);
  return made;
}
/// This replica, as the primary of view 2, begins it by what these three claim.
NewView new_view(const std::vector<std::vector<std::uint64_t>>& prepared) {
  NewView made{segment, View(2), {}, {}, {}};
  for (std::uint64_t sender = 0; sender < 3; ++sender) {
    made.view_changes.push_back(change(sender, prepared.at(sender)));
    made.view_changes.back().certificates.clear();
  }
  const auto claims = pbft::outcome(made.view_changes);
  for (const PreparedClaim& claim : *claims)
    made.certificates.push_back(certificate(claim.sn.value));
  powers().sign(made);
  return made;
}
bool is_well_formed(const auto& message) {
  return pbft::is_well_formed(message, slots, powers().cluster());
}
/// Signatures that are not those of who is said to have made them.
std::size_t forged(SegmentId where, const Certificate& one) {
  const PrepareContent content{where, one.view, one.sn, one.digest};
  const Bytes message = pbft::signed_bytes(powers().cluster(), content);
  std::size_t count = 0;
  for (const CertificateSignature& made : one.signatures)
    count += sim::Crypto(NodeId(1)).verify_node(made.node, where.epoch, message.view(),
                                                made.signature.view()) != SignatureCheck::valid;
  return count;
}

}  // namespace

TEST_CASE("who withholds certificates claims nothing, in due form") {
  WithheldCertificates liar(powers());
  const auto one = all<ViewChange>(said(liar, change(0, {1, 5}))).at(0);
  CHECK(one.claims.empty());
  CHECK(is_well_formed(one));
  CHECK(is_signed(one));
  CHECK(liar.acted() == 1);
  (void)said(liar, change(0, {}));
  CHECK(liar.acted() == 1);
}

TEST_CASE("forged certificates are well formed, and signed by their forger alone") {
  ForgedCertificates liar(powers());
  for (const std::uint64_t from : {1u, 2u, 3u}) (void)heard(liar, prepare(5), from);
  SUBCASE("in a ViewChange") {
    const auto one = all<ViewChange>(said(liar, change(0, {}))).at(0);
    REQUIRE(one.claims.size() == 1);
    CHECK(one.claims[0].view == View(1));
    CHECK(one.claims[0].digest != digest(7));
    CHECK(is_well_formed(one));
    CHECK(is_signed(one));
    CHECK(forged(segment, one.certificates[0]) == 2);
  }
  SUBCASE("in a NewView, whose outcome follows from them") {
    const auto one = all<NewView>(said(liar, new_view({{}, {1}, {5}}))).at(0);
    CHECK(is_well_formed(one));
    CHECK(is_signed(one));
    CHECK(is_signed(one.view_changes[0]));
    REQUIRE(one.certificates.size() == 2);
    CHECK(one.certificates[1].sn == SeqNr(5));
    CHECK(one.certificates[1].digest != digest(7));
    CHECK(forged(segment, one.certificates[1]) == 2);
  }
  CHECK(liar.acted() == 1);
}

TEST_CASE("an equivocating primary has two outcomes for a view, both well proven") {
  EquivocatingPrimary primary(powers());
  const NewView honest = new_view({{1, 5}, {1}, {}});
  std::vector<std::size_t> outcomes(3);
  for (std::uint64_t epoch = 0; epoch < 8; ++epoch)
    for (std::uint64_t to = 1; to < 4; ++to) {
      NewView asked = honest;
      asked.segment.epoch = Epoch(epoch);
      for (ViewChange& one : asked.view_changes) one.segment = asked.segment;
      const auto one = all<NewView>(said(primary, asked, to)).at(0);
      CHECK(is_well_formed(one));
      ++outcomes.at(one.certificates.size());
      if (one.certificates.size() == 1) CHECK(is_signed(one));
    }
  CHECK(outcomes[1] == primary.acted());
  CHECK(outcomes[1] > 0);
  CHECK(outcomes[2] > 0);
}

TEST_CASE("where nothing else can be proven, an equivocating primary tells the truth") {
  EquivocatingPrimary primary(powers());
  for (std::uint64_t to = 1; to < 4; ++to)
    CHECK(all<NewView>(said(primary, new_view({{1}, {1}, {}}), to)).at(0).certificates.size() == 1);
  CHECK(primary.acted() == 0);
}

}  // namespace mirbft::testing::certificates_test
