// Certificates of others: only a quorum of the known members' valid signatures is believed.
#include <mirbft/protocol/iss/checkpoint_proofs.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/iss_env.hpp"

namespace mirbft::iss::checkpoint_proofs_test {
namespace {

using testing::IssEnv;
using testing::signature_of;

const Digest membership = testing::digest_of_bytes(Bytes("members").view());

CheckpointHeader header(std::uint64_t epoch) {
  CheckpointHeader made;
  made.epoch = Epoch(epoch);
  made.membership = membership;
  return made;
}
StableCheckpoint proof_of(const CheckpointHeader& of, const std::vector<std::uint64_t>& signers) {
  StableCheckpoint proof{of, {}};
  const Bytes message = wire::canonical("checkpoint", Bytes("test").view(), of);
  for (const std::uint64_t signer : signers)
    proof.certificate.push_back({NodeId(signer), signature_of(NodeId(signer), message)});
  return proof;
}

/// The class and who answers it.
struct Checked {
  void receive(std::size_t from, StableCheckpoint proof) {
    proofs.receive(env.member(from), std::move(proof), membership, keys, env);
  }
  void process(NodeSigsVerified<ProofChecking> verified, IssEnv&) {
    valid = proofs.checked(std::move(verified), env);
  }
  void verify() { env.verify<ProofChecking>(*this); }
  std::size_t asked() const { return env.out.count<VerifyNodeSigs<ProofChecking>>(); }

  IssEnv env{testing::iss_config(4)};
  KeyChain keys;
  CheckpointProofs proofs;
  std::optional<StableCheckpoint> valid;
};

}  // namespace

TEST_CASE("a certificate is checked by one request and kept") {
  Checked checked;
  checked.receive(1, proof_of(header(5), {0, 2, 3}));
  CHECK(checked.asked() == 1);
  CHECK_FALSE(checked.proofs.newest());
  checked.verify();
  REQUIRE(checked.valid);
  CHECK(*checked.valid == proof_of(header(5), {0, 2, 3}));
  CHECK(checked.proofs.newest() == checked.valid);
  checked.receive(2, proof_of(header(5), {0, 1, 2}));
  CHECK(checked.asked() == 0);  // known
}

TEST_CASE("the newest one stays") {
  Checked checked;
  for (const std::uint64_t epoch : {5u, 4u, 6u}) {
    checked.receive(1, proof_of(header(epoch), {0, 2, 3}));
    checked.verify();
    CHECK(checked.valid->header.epoch == Epoch(epoch));
    CHECK(checked.proofs.newest()->header.epoch == Epoch(epoch == 6 ? 6 : 5));
  }
}

TEST_CASE("what is no quorum of members is refused before any signature is checked") {
  Checked checked;
  SUBCASE("too few") { checked.receive(1, proof_of(header(5), {0, 2})); }
  SUBCASE("none") { checked.receive(1, proof_of(header(5), {})); }
  SUBCASE("more than needed") { checked.receive(1, proof_of(header(5), {0, 1, 2, 3})); }
  SUBCASE("one twice") { checked.receive(1, proof_of(header(5), {0, 2, 2})); }
  SUBCASE("not ascending") { checked.receive(1, proof_of(header(5), {2, 0, 3})); }
  SUBCASE("a stranger") { checked.receive(1, proof_of(header(5), {0, 2, 7})); }
  SUBCASE("an old membership") {
    CheckpointHeader old = header(5);
    old.membership = {};
    checked.receive(1, proof_of(old, {0, 2, 3}));
  }
  SUBCASE("no membership is known yet") {
    checked.proofs.receive(checked.env.member(1), proof_of(header(5), {0, 2, 3}), std::nullopt,
                           checked.keys, checked.env);
  }
  CHECK(checked.env.bad_messages.certificate == 1);
  CHECK(checked.asked() == 0);
}

TEST_CASE("one forged signature spoils a certificate, for its sender only") {
  Checked checked;
  SUBCASE("made up") {
    auto forged = proof_of(header(5), {0, 2, 3});
    forged.certificate[1].signature = Bytes("forged");
    checked.receive(1, forged);
  }
  SUBCASE("of another header") {
    auto forged = proof_of(header(4), {0, 2, 3});
    forged.header = header(5);
    checked.receive(1, forged);
  }
  SUBCASE("another's in its place") {
    auto forged = proof_of(header(5), {0, 2, 3});
    forged.certificate[1].signature = forged.certificate[0].signature;
    checked.receive(1, forged);
  }
  checked.verify();
  CHECK_FALSE(checked.valid);
  CHECK_FALSE(checked.proofs.newest());
  CHECK(checked.env.bad_messages.signature == 1);
  checked.receive(1, proof_of(header(5), {0, 2, 3}));
  checked.verify();
  CHECK(checked.valid);
}

TEST_CASE("so many certificates of one sender are checked at a time") {
  Checked checked;
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch)
    checked.receive(1, proof_of(header(epoch), {0, 2, 3}));
  CHECK(checked.asked() == CheckpointProofs::checked_at_once);
  CHECK(checked.env.bad_messages.oversized == 10 - CheckpointProofs::checked_at_once);
  checked.receive(2, proof_of(header(5), {0, 2, 3}));
  CHECK(checked.asked() == CheckpointProofs::checked_at_once + 1);
  checked.verify();
  checked.receive(1, proof_of(header(7), {0, 2, 3}));
  CHECK(checked.asked() == 1);
}

TEST_CASE("a certificate is judged by the keys of its epoch, once they are known") {
  CheckpointHeader change = header(5);
  change.key_changes = 1;
  change.node_keys = {{NodeId(2), Bytes("new")}};
  CheckpointHeader later = header(9);
  later.key_changes = 1;
  Checked checked;
  checked.receive(1, proof_of(later, {0, 2, 3}));
  CHECK(checked.asked() == 0);  // keys that it may be signed by are not known
  checked.receive(1, proof_of(change, {0, 2, 3}));
  CHECK(checked.asked() == 1);
  checked.verify();
  REQUIRE(checked.valid);
  CHECK(checked.keys.extend(*checked.valid, checked.env));
  checked.receive(1, proof_of(later, {0, 2, 3}));
  REQUIRE(checked.asked() == 1);
  CHECK(checked.env.out.take<VerifyNodeSigs<ProofChecking>>().epoch == Epoch(9));
  CHECK(checked.env.bad_messages.signature == 0);
}

}  // namespace mirbft::iss::checkpoint_proofs_test
