#include <doctest/doctest.h>

#include <mirbft/sim/crypto.hpp>

namespace mirbft::sim::crypto_test {

TEST_CASE("a signature is one node's, of one epoch, under one message") {
  const Crypto crypto(NodeId(1));
  const Bytes made = crypto.sign(Epoch(2), bytes_of("text"));
  const Crypto other(NodeId(3));
  const auto check = [&](std::uint64_t node, std::uint64_t epoch, const char* text) {
    return other.verify_node(NodeId(node), Epoch(epoch), bytes_of(text), made.view());
  };
  CHECK(check(1, 2, "text") == SignatureCheck::valid);
  CHECK(check(3, 2, "text") == SignatureCheck::invalid);
  CHECK(check(1, 3, "text") == SignatureCheck::invalid);
  CHECK(check(1, 2, "test") == SignatureCheck::invalid);
  CHECK(other.verify_node(NodeId(1), Epoch(2), bytes_of("text"), {}) ==
        SignatureCheck::malformed);
  CHECK(other.verify_client(ClientId(1), bytes_of("text"), made.view()) ==
        SignatureCheck::invalid);
}

TEST_CASE("a client's signature is its own") {
  const Crypto crypto(NodeId(1));
  const Bytes made = Crypto::sign_as(ClientId(5), bytes_of("text"));
  CHECK(crypto.verify_client(ClientId(5), bytes_of("text"), made.view()) ==
        SignatureCheck::valid);
  CHECK(crypto.verify_client(ClientId(6), bytes_of("text"), made.view()) ==
        SignatureCheck::invalid);
}

}  // namespace mirbft::sim::crypto_test
