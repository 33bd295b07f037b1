// Bad certificates are caught wherever a correct node takes one.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/sim/certificate_invariants.hpp>
#include <mirbft/types/signature_check.hpp>

#include "seen.hpp"

namespace mirbft::sim::certificate_invariants_test {
namespace {

using namespace testing;

constexpr SegmentId segment{Epoch(1), 2};

/// A signature of a node is its number, whatever it signs.
struct NumberCrypto {
  SignatureCheck verify_node(NodeId node, Epoch, ByteView, ByteView signature) const {
    return signature.size() == 1 && signature[0] == node.value ? SignatureCheck::valid
                                                               : SignatureCheck::invalid;
  }
  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) {}
};
using Certificates = CertificatesVerify<NumberCrypto>;

Bytes signature_of(std::uint64_t node) { return Bytes(std::string(1, static_cast<char>(node))); }

Certificate certificate(const std::vector<std::uint64_t>& signers, std::uint8_t mark = 1) {
  Certificate made{View(0), SeqNr(5), digest_of(mark), {}};
  for (const std::uint64_t node : signers)
    made.signatures.push_back({NodeId(node), signature_of(node)});
  return made;
}
StableCheckpoint checkpoint(const std::vector<std::uint64_t>& signers, std::uint64_t length = 1) {
  StableCheckpoint made{header_of(1, length), {}};
  for (const std::uint64_t node : signers)
    made.certificate.push_back({NodeId(node), signature_of(node)});
  return made;
}
ViewChange change_of(std::uint64_t sender, std::vector<PreparedClaim> claims = {}) {
  return {segment, View(1), NodeId(sender), std::move(claims), signature_of(sender), {}};
}
const PreparedClaim claim{View(0), SeqNr(5), digest_of(1)};

/// Nodes 0 to 2 of four are correct, have voted for digest 1, have signed the checkpoint of epoch
/// 1, and have called for view 1: node 0 with a claim.
struct Voted {
  Seen seen;
  Certificates checks{seen_config(), NumberCrypto()};

  Voted() {
    for (const std::uint64_t node : {0u, 1u, 2u}) {
      checks.started(NodeId(node));
      checks.durable(NodeId(node), VoteEntry{{segment, View(0), SeqNr(5), digest_of(1)}, {}, {}},
                     seen.findings);
      checks.durable(NodeId(node), checkpoint_of(header_of(1)), seen.findings);
      checks.durable(NodeId(node),
                     ViewChangeEntry{node == 0 ? change_of(0, {claim}) : change_of(node)},
                     seen.findings);
    }
  }
};

template <class E>
std::string found(const E& event) {
  Voted run;
  run.checks.event(NodeId(0), event, run.seen.findings);
  CHECK((run.seen.first() == "" || run.seen.first() == "certificates verify"));
  return run.seen.text();
}
std::string found_prepared(const Certificate& one) {
  return found(appended(PreparedEntry{segment, one}));
}
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("certificates verify: a strong quorum of members has signed, each once") {
  CHECK(found_prepared(certificate({0, 1, 2})) == "");
  CHECK(found_prepared(certificate({0, 1, 3})) == "");
  CHECK(contains(found_prepared(certificate({0, 1})), "where 3 are needed"));
  CHECK(contains(found_prepared(certificate({0, 1, 1})), "of 2 nodes"));
  CHECK(contains(found_prepared(certificate({0, 1, 2, 2})), "of 3 nodes"));
  CHECK(contains(found_prepared(certificate({0, 1, 4})), "node 4 is no member"));
}

TEST_CASE("certificates verify: by the Crypto of the run, and by what correct nodes have signed") {
  Certificate forged = certificate({0, 1, 3});
  forged.signatures[2].signature = signature_of(0);
  CHECK(contains(found_prepared(forged), "node 3 has not made the signature"));
  const std::string stolen = found_prepared(certificate({0, 1, 3}, 2));
  CHECK(contains(stolen, "node 0 is correct and has never signed that"));
  Certificate later = certificate({0, 1, 3});
  later.view = View(1);
  CHECK(contains(found_prepared(later), "never signed"));
}

TEST_CASE("certificates verify: those of checkpoints, wherever they go") {
  const auto all = [](const StableCheckpoint& proof) {
    const std::string stable = found(appended(StableEntry{proof.header, proof.certificate}));
    CHECK(stable == found(appended(InstalledEntry{proof.header, proof.certificate, {}})));
    CHECK(stable == found(appended(KeyEntry{proof})));
    CHECK(stable == found(sent(proof)));
    return stable;
  };
  CHECK(all(checkpoint({0, 1, 2})) == "");
  CHECK(contains(all(checkpoint({0, 1})), "where 3 are needed"));
  CHECK(contains(all(checkpoint({0, 1, 3}, 2)), "never signed"));
}

TEST_CASE("certificates verify: a ViewChange proves each claim, and is its sender's") {
  const auto changed = [](auto&& change) {
    ViewChange made = change_of(0, {claim});
    made.certificates = {certificate({0, 1, 2})};
    change(made);
    return found(sent(made));
  };
  CHECK(changed([](ViewChange&) {}) == "");
  CHECK(contains(changed([](ViewChange& one) { one.certificates.clear(); }), "does not prove"));
  CHECK(contains(changed([](ViewChange& one) { one.certificates[0].digest = digest_of(2); }),
                 "does not prove"));
  CHECK(contains(changed([](ViewChange& one) { one.certificates = {certificate({0, 1})}; }),
                 "where 3 are needed"));
  CHECK(contains(changed([](ViewChange& one) { one.signature = signature_of(1); }),
                 "node 0 has not made"));
}

TEST_CASE("certificates verify: all of a NewView, sent or accepted") {
  const auto made = [](std::vector<ViewChange> changes, std::vector<Certificate> certificates) {
    const NewView message{segment, View(1), std::move(changes), std::move(certificates), {}};
    const std::string accepted = found(appended(NewViewEntry{message}));
    CHECK(accepted == found(sent(message)));
    return accepted;
  };
  const std::vector<ViewChange> changes{change_of(0, {claim}), change_of(1), change_of(3)};
  CHECK(made(changes, {certificate({0, 1, 2})}) == "");
  CHECK(contains(made(changes, {certificate({0, 1})}), "where 3 are needed"));
  CHECK(contains(made({change_of(0), change_of(1), change_of(3)}, {}), "never signed"));
  std::vector<ViewChange> forged = changes;
  forged[2].signature = signature_of(1);
  CHECK(contains(made(forged, {certificate({0, 1, 2})}), "node 3 has not made"));
}

TEST_CASE("certificates verify: of epochs long over only signatures are checked") {
  Voted run;
  for (const std::uint64_t node : {0u, 1u})
    run.checks.durable(NodeId(node), checkpoint_of(header_of(30)), run.seen.findings);
  run.checks.event(NodeId(0), appended(PreparedEntry{segment, certificate({0, 1, 3}, 2)}),
                   run.seen.findings);
  CHECK(run.seen.text() == "");
  run.checks.event(NodeId(0), appended(PreparedEntry{segment, certificate({0, 1})}),
                   run.seen.findings);
  CHECK(run.seen.first() == "certificates verify");
}

}  // namespace mirbft::sim::certificate_invariants_test
