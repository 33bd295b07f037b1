// Requests of batches: proven one by one, by whoever has the key, and with one signature a root.
#include <mirbft/modules/crypto/batch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/concepts.hpp>
#include <mirbft/engine/module_description.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::batch_test {

namespace {

using Verifier = BatchVerifier<SodiumCrypto, Sha256>;
static_assert(IsCrypto<Verifier>);
static_assert(engine::HasConfig<Verifier>);

const Bytes cluster("cluster");

Bytes seed_of(std::uint64_t owner) {
  return Bytes(std::string(Ed25519Key::seed_size, static_cast<char>(owner)));
}
Ed25519Key key_of(std::uint64_t owner) { return Ed25519Key(seed_of(owner).view()); }

/// Knows clients 1 and 2.
Verifier verifier(RootLimits limits = {}) {
  return Verifier(SodiumCrypto(seed_of(0).view(), {{NodeId(0), key_of(0).public_key()}},
                               {{ClientId(1), key_of(1).public_key()},
                                {ClientId(2), key_of(2).public_key()}}),
                  limits);
}

/// Requests of a client; their bodies are none of Crypto's concern.
std::vector<RequestRef> requests_of(std::uint64_t client, std::size_t count,
                                    std::uint64_t from = 0) {
  std::vector<RequestRef> requests;
  for (std::size_t i = 0; i < count; ++i) {
    RequestRef request{ClientId(client), ReqNo(from + i), {}};
    request.digest.bytes.fill(static_cast<std::uint8_t>(from + i));
    requests.push_back(request);
  }
  return requests;
}
std::vector<Bytes> signed_by(std::uint64_t owner, const std::vector<RequestRef>& requests) {
  return BatchSigner<Ed25519Key, Sha256>(key_of(owner), cluster).sign(requests);
}

SignatureCheck check(const Verifier& crypto, const RequestRef& request,
                     const Bytes& authenticator) {
  return crypto.verify_request(cluster.view(), request, authenticator.view());
}

Bytes with_byte(const Bytes& bytes, std::size_t place, std::uint8_t changed_by) {
  return Bytes::filled(bytes.size(), [&](std::uint8_t* out) {
    std::copy(bytes.begin(), bytes.end(), out);
    out[place] = static_cast<std::uint8_t>(out[place] ^ changed_by);
  });
}
/// The authenticator of another leaf, or of a batch of another size, with the path that it has.
Bytes at_place(const Bytes& authenticator, std::uint16_t leaf, std::uint16_t leaves) {
  const auto read =
      wire::read_batch_authenticator(authenticator.view(), Ed25519Key::signature_size);
  REQUIRE(read);
  return wire::write_batch_authenticator(leaf, leaves, read->path(), read->signature);
}

}  // namespace

TEST_CASE("each request of a batch is proven alone, by a replica that has seen no other") {
  for (const std::size_t count : std::vector<std::size_t>{2, 3, 7, 64, 1000}) {
    CAPTURE(count);
    const std::vector<RequestRef> requests = requests_of(1, count);
    const std::vector<Bytes> authenticators = signed_by(1, requests);
    const std::size_t step = std::max<std::size_t>(1, count / 20);
    for (std::size_t i = 0; i < count; i += step)
      CHECK(check(verifier(), requests[i], authenticators[i]) == SignatureCheck::valid);
  }
}

TEST_CASE("a root is verified once, whatever the order of its requests") {
  const std::vector<RequestRef> requests = requests_of(1, 100);
  const std::vector<Bytes> authenticators = signed_by(1, requests);
  const Verifier crypto = verifier();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::size_t place = (i * 37 + 5) % requests.size();
    CHECK(check(crypto, requests[place], authenticators[place]) == SignatureCheck::valid);
  }
  const auto status = crypto.status();
  CHECK(status.roots == 1);
  CHECK(status.roots_verified == 1);
  CHECK(status.roots_known == 99);
  CHECK(status.crypto.clients == 2);
  CHECK(wire::to_json(status) ==
        R"({"crypto":{"nodes":1,"clients":2,"malformed_keys":0},)"
        R"("roots":1,"roots_verified":1,"roots_known":99})");
}

TEST_CASE("a plain signature is what it was, and no root comes into it") {
  const std::vector<RequestRef> requests = requests_of(1, 1);
  const Bytes plain = signed_by(1, requests).front();
  CHECK(plain == key_of(1).sign(
                     wire::request_signature_bytes(cluster.view(), requests.front()).view()));
  const Verifier crypto = verifier();
  CHECK(check(crypto, requests.front(), plain) == SignatureCheck::valid);
  CHECK(check(crypto, requests.front(), with_byte(plain, 3, 1)) == SignatureCheck::invalid);
  CHECK(crypto.status().roots_verified == 0);
}

TEST_CASE("nodes' signatures and the own one are those of the module within") {
  const Verifier crypto = verifier();
  const Bytes message("message");
  const Bytes made = crypto.sign(Epoch(0), message.view());
  CHECK(made == key_of(0).sign(message.view()));
  CHECK(crypto.verify_node(NodeId(0), Epoch(0), message.view(), made.view()) ==
        SignatureCheck::valid);
  Verifier changed = verifier();
  changed.update_node_key(NodeId(0), Epoch(1), key_of(9).public_key());
  changed.update_node_key(NodeId(0), Epoch(2), std::nullopt);
  const Bytes later = key_of(9).sign(message.view());
  CHECK(changed.verify_node(NodeId(0), Epoch(1), message.view(), later.view()) ==
        SignatureCheck::valid);
  changed.forget_node_keys(Epoch(2));
  CHECK(changed.verify_node(NodeId(0), Epoch(1), message.view(), later.view()) ==
        SignatureCheck::unknown_signer);
}

TEST_CASE("an authenticator is good for its own request alone, also when its root is known") {
  const std::vector<RequestRef> requests = requests_of(1, 8);
  const std::vector<Bytes> authenticators = signed_by(1, requests);
  const Verifier knowing = verifier();
  REQUIRE(check(knowing, requests[0], authenticators[0]) == SignatureCheck::valid);
  const auto refused = [&](const RequestRef& request, const Bytes& authenticator) {
    const SignatureCheck verdict = check(verifier(), request, authenticator);
    CHECK(check(knowing, request, authenticator) == verdict);
    return verdict;
  };
  for (std::size_t i = 1; i < 8; ++i)
    CHECK(refused(requests[0], authenticators[i]) == SignatureCheck::invalid);

  RequestRef other = requests[0];
  other.digest.bytes[0] ^= 1;
  CHECK(refused(other, authenticators[0]) == SignatureCheck::invalid);
  other = requests[0];
  other.req_no = ReqNo(77);
  CHECK(refused(other, authenticators[0]) == SignatureCheck::invalid);
  other = requests[0];
  other.client = ClientId(2);
  CHECK(refused(other, authenticators[0]) == SignatureCheck::invalid);
  other.client = ClientId(3);
  CHECK(refused(other, authenticators[0]) == SignatureCheck::unknown_signer);
  CHECK(knowing.verify_request(bytes_of("another cluster"), requests[0],
                               authenticators[0].view()) == SignatureCheck::invalid);
}

TEST_CASE("every changed bit and every other length is refused, also when the root is known") {
  const std::vector<RequestRef> requests = requests_of(1, 5);
  const Verifier knowing = verifier();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    const Bytes authenticator = signed_by(1, requests)[i];
    REQUIRE(check(knowing, requests[i], authenticator) == SignatureCheck::valid);
    for (std::size_t bit = 0; bit < 8 * authenticator.size(); ++bit) {
      const Bytes changed =
          with_byte(authenticator, bit / 8, static_cast<std::uint8_t>(1u << bit % 8));
      const SignatureCheck verdict = check(knowing, requests[i], changed);
      REQUIRE(verdict != SignatureCheck::valid);
      REQUIRE(verdict != SignatureCheck::unknown_signer);
      if (bit % 29 == 0) REQUIRE(check(verifier(), requests[i], changed) == verdict);
    }
    for (std::size_t length = 0; length < authenticator.size(); ++length)
      if (length != Ed25519Key::signature_size)
        REQUIRE(check(knowing, requests[i], authenticator.slice(0, length)) ==
                SignatureCheck::malformed);
  }
}

TEST_CASE("no other place and no other size fit a path, though it has their length") {
  const std::vector<RequestRef> requests = requests_of(1, 6);
  const std::vector<Bytes> authenticators = signed_by(1, requests);
  const Verifier crypto = verifier();
  for (std::uint16_t leaves = 2; leaves <= 16; ++leaves) {
    for (std::uint16_t leaf = 0; leaf < leaves; ++leaf) {
      CAPTURE(leaf);
      CAPTURE(leaves);
      const SignatureCheck verdict =
          check(crypto, requests[2], at_place(authenticators[2], leaf, leaves));
      const bool right = leaf == 2 && leaves == 6;
      const bool same_length = merkle_path_length(leaf, leaves) == 3;
      CHECK(verdict == (right         ? SignatureCheck::valid
                        : same_length ? SignatureCheck::invalid
                                      : SignatureCheck::malformed));
    }
  }
  CHECK(check(crypto, requests[2], at_place(authenticators[2], 6, 6)) ==
        SignatureCheck::malformed);
}

TEST_CASE("neither an inner node nor a signature can be passed off as something else") {
  const std::vector<RequestRef> requests = requests_of(1, 4);
  const Bytes whole = signed_by(1, requests)[0];
  const Verifier crypto = verifier();
  REQUIRE(check(crypto, requests[0], whole) == SignatureCheck::valid);
  const auto read = wire::read_batch_authenticator(whole.view(), Ed25519Key::signature_size);
  REQUIRE(read);

  // The tree of two leaves over the inner nodes of four has the same root.
  Sha256 hasher;
  RequestRef inner{ClientId(1), ReqNo(0), {}};
  inner.digest = wire::batch_node(
      hasher, wire::batch_leaf(hasher, cluster.view(), requests[0]), read->nodes[0]);
  const Bytes upper =
      wire::write_batch_authenticator(0, 2, read->path().subspan(1), read->signature);
  CHECK(check(crypto, inner, upper) == SignatureCheck::invalid);
  CHECK(check(crypto, requests[0], upper) == SignatureCheck::invalid);

  CHECK(check(crypto, requests[0], Bytes(read->signature)) == SignatureCheck::invalid);
  const Bytes plain = signed_by(1, requests_of(1, 1)).front();
  CHECK(check(crypto, requests[0],
              wire::write_batch_authenticator(0, 4, read->path(), plain.view())) ==
        SignatureCheck::invalid);
}

TEST_CASE("a batch that another client has signed proves nothing, known or not") {
  const std::vector<RequestRef> requests = requests_of(1, 4);
  const std::vector<Bytes> forged = signed_by(2, requests);
  const Verifier crypto = verifier();
  for (int twice = 0; twice < 2; ++twice)
    CHECK(check(crypto, requests[0], forged[0]) == SignatureCheck::invalid);
  CHECK(crypto.status().roots == 0);
  CHECK(crypto.status().roots_verified == 2);
  CHECK(check(crypto, requests[0], signed_by(1, requests)[0]) == SignatureCheck::valid);
  CHECK(check(crypto, requests[1], forged[1]) == SignatureCheck::invalid);
}

TEST_CASE("a key that changes takes what was proven under it along, and nothing of the others") {
  Verifier crypto = verifier();
  const std::vector<RequestRef> ones = requests_of(1, 4), twos = requests_of(2, 4);
  const std::vector<Bytes> of_one = signed_by(1, ones), of_two = signed_by(2, twos);
  REQUIRE(check(crypto, ones[0], of_one[0]) == SignatureCheck::valid);
  REQUIRE(check(crypto, twos[0], of_two[0]) == SignatureCheck::valid);

  crypto.update_client_key(ClientId(1), key_of(9).public_key());
  CHECK(crypto.status().roots == 1);
  CHECK(check(crypto, ones[0], of_one[0]) == SignatureCheck::invalid);
  CHECK(check(crypto, ones[1], signed_by(9, ones)[1]) == SignatureCheck::valid);
  CHECK(check(crypto, twos[1], of_two[1]) == SignatureCheck::valid);
  CHECK(crypto.status().roots_known == 1);

  crypto.update_client_key(ClientId(1), std::nullopt);
  CHECK(check(crypto, ones[1], signed_by(9, ones)[1]) == SignatureCheck::unknown_signer);
  crypto.update_client_key(ClientId(1), key_of(1).public_key());
  CHECK(check(crypto, ones[0], of_one[0]) == SignatureCheck::valid);
}

TEST_CASE("a client that floods with roots costs bounded memory, and the others nothing") {
  const Verifier crypto = verifier({.all = 6, .of_one = 3});
  const std::vector<RequestRef> quiet = requests_of(2, 4);
  const std::vector<Bytes> of_quiet = signed_by(2, quiet);
  REQUIRE(check(crypto, quiet[0], of_quiet[0]) == SignatureCheck::valid);
  for (std::uint64_t batch = 0; batch < 20; ++batch) {
    const std::vector<RequestRef> requests = requests_of(1, 2, 2 * batch);
    const std::vector<Bytes> authenticators = signed_by(1, requests);
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(check(crypto, requests[i], authenticators[i]) == SignatureCheck::valid);
  }
  CHECK(crypto.status().roots == 4);
  CHECK(crypto.status().roots_verified == 21);
  CHECK(check(crypto, quiet[1], of_quiet[1]) == SignatureCheck::valid);
  CHECK(crypto.status().roots_verified == 21);
}

TEST_SUITE("threads") {
  TEST_CASE("threads that verify side by side find what one finds") {
    constexpr std::size_t threads = 4, batches = 8, size = 16;
    const Verifier crypto = verifier({.all = 4, .of_one = 4});
    std::vector<RequestRef> requests;
    std::vector<Bytes> authenticators;
    for (std::size_t batch = 0; batch < batches; ++batch) {
      const std::vector<RequestRef> some = requests_of(1, size, size * batch);
      for (const Bytes& made : signed_by(batch % 2 == 0 ? 1 : 2, some))
        authenticators.push_back(made);
      requests.insert(requests.end(), some.begin(), some.end());
    }
    std::vector<std::size_t> wrong(threads);
    {
      std::vector<std::jthread> workers;
      for (std::size_t self = 0; self < threads; ++self)
        workers.emplace_back([&, self] {
          for (std::size_t i = 0; i < requests.size(); ++i) {
            const std::size_t place = (i + self * size) % requests.size();
            const auto expected = place / size % 2 == 0 ? SignatureCheck::valid
                                                        : SignatureCheck::invalid;
            wrong[self] += check(crypto, requests[place], authenticators[place]) != expected;
          }
        });
    }
    CHECK(wrong == std::vector<std::size_t>(threads));
    const auto status = crypto.status();
    CHECK(status.roots == 4);
    CHECK(status.roots_verified + status.roots_known == threads * requests.size());
  }
}

}  // namespace mirbft::batch_test
