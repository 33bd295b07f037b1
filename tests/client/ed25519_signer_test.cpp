// What a client signs is what replicas check.
#include <mirbft/client/ed25519_signer.hpp>

#include <vector>

#include <doctest/doctest.h>

#include <mirbft/types/errors.hpp>

namespace mirbft::ed25519_signer_test {

TEST_CASE("each request gets a signature that replicas accept, in this cluster alone") {
  const Bytes seed = Ed25519Key::random_seed();
  const Ed25519Signer signer(seed.view(), "here");
  const SodiumCrypto crypto(Ed25519Key::random_seed().view(), {},
                            {{ClientId(1), signer.public_key()}});
  Digest digest;
  digest.bytes[0] = 1;
  const std::vector<RequestRef> requests{{ClientId(1), ReqNo(4), digest},
                                         {ClientId(1), ReqNo(5), digest}};
  const std::vector<Bytes> signatures = signer.sign(requests);
  REQUIRE(signatures.size() == 2);
  const auto check = [&](const char* cluster, std::size_t request, std::size_t signature) {
    return crypto.verify_client(
        ClientId(1), wire::request_signature_bytes(bytes_of(cluster), requests[request]).view(),
        signatures[signature].view());
  };
  CHECK(check("here", 0, 0) == SignatureCheck::valid);
  CHECK(check("here", 1, 1) == SignatureCheck::valid);
  CHECK(check("here", 0, 1) == SignatureCheck::invalid);
  CHECK(check("there", 0, 0) == SignatureCheck::invalid);
}

TEST_CASE("a seed has 32 bytes") {
  CHECK_THROWS_AS(Ed25519Signer(Bytes("short").view(), "here"), ConfigError);
}

}  // namespace mirbft::ed25519_signer_test
