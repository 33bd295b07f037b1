#include <doctest/doctest.h>

#include <optional>

#include <mirbft/modules/crypto/null.hpp>

namespace mirbft::crypto_null_test {

TEST_CASE("null signatures are empty and valid, with and without keys") {
  NullCrypto crypto;
  CHECK(crypto.sign(Epoch(0), bytes_of("message")).empty());
  CHECK(crypto.verify_node(NodeId(1), Epoch(0), bytes_of("a"), bytes_of("b")) ==
        SignatureCheck::valid);
  const std::optional<Bytes> no_key;
  crypto.update_node_key(NodeId(1), Epoch(0), no_key);
  crypto.forget_node_keys(Epoch(1));
  crypto.update_client_key(ClientId(2), Bytes("key"));
  CHECK(crypto.verify_node(NodeId(1), Epoch(0), {}, {}) == SignatureCheck::valid);
  CHECK(crypto.verify_client(ClientId(2), {}, {}) == SignatureCheck::valid);
}

}  // namespace mirbft::crypto_null_test
