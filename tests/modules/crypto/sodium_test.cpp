#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>

namespace mirbft::sodium_test {

namespace {

Bytes from_hex(std::string_view text) {
  return Bytes::filled(text.size() / 2, [text](std::uint8_t* out) {
    for (std::size_t at = 0; at < text.size(); at += 2)
      *out++ = static_cast<std::uint8_t>(std::stoi(std::string(text.substr(at, 2)), nullptr, 16));
  });
}

Bytes concatenated(ByteView left, ByteView right) {
  return Bytes::filled(left.size() + right.size(), [&](std::uint8_t* out) {
    std::copy(right.begin(), right.end(), std::copy(left.begin(), left.end(), out));
  });
}

Bytes seed(std::uint8_t number) { return Bytes(std::vector<std::uint8_t>(32, number)); }

/// A verifier of node 1, whose key is given.
SodiumCrypto verifier(const Bytes& key) {
  return SodiumCrypto(seed(0).view(), {{NodeId(1), key}}, {});
}

SignatureCheck check(const Bytes& key, ByteView message, ByteView signature) {
  return verifier(key).verify_node(NodeId(1), Epoch(0), message, signature);
}

// The eight points whose order divides 8, in their canonical encodings.
constexpr std::string_view small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};
constexpr std::string_view identity = small_order[0];
constexpr std::string_view of_order_8 = small_order[1];

// Encodings of small-order points with y not below p, or with a sign where x is 0.
constexpr std::string_view non_canonical[] = {
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

using Scalar = std::array<std::uint8_t, 32>;

Scalar hashed_scalar(ByteView message) {
  std::array<std::uint8_t, 64> wide{};
  crypto_hash_sha512(wide.data(), message.data(), message.size());
  Scalar scalar{};
  crypto_core_ed25519_scalar_reduce(scalar.data(), wide.data());
  return scalar;
}

/// The secret scalar `a` of a seed (RFC 8032, 5.1.5).
Scalar secret_scalar(const Bytes& secret_seed) {
  std::array<std::uint8_t, 64> wide{};
  crypto_hash_sha512(wide.data(), secret_seed.data(), secret_seed.size());
  Scalar scalar{};
  std::copy_n(wide.begin(), scalar.size(), scalar.begin());
  scalar[0] &= 248;
  scalar[31] = static_cast<std::uint8_t>((scalar[31] & 63) | 64);
  return scalar;
}

Bytes point_sum(const Bytes& left, const Bytes& right) {
  return Bytes::filled(32, [&](std::uint8_t* out) {
    REQUIRE(crypto_core_ed25519_add(out, left.data(), right.data()) == 0);
  });
}

Bytes times_base(const Scalar& scalar) {
  return Bytes::filled(32, [&](std::uint8_t* out) {
    REQUIRE(crypto_scalarmult_ed25519_base_noclamp(out, scalar.data()) == 0);
  });
}

/// The signature (R, r + H(R, A, M)·a): what a signer makes who chooses R freely.
Bytes forged(const Bytes& point, const Scalar& nonce, const Bytes& secret_seed, ByteView message) {
  const Bytes key = Ed25519Key(secret_seed.view()).public_key();
  const Bytes points = concatenated(point.view(), key.view());
  const Scalar challenge = hashed_scalar(concatenated(points.view(), message).view());
  const Scalar secret = secret_scalar(secret_seed);
  Scalar answer{};
  crypto_core_ed25519_scalar_mul(answer.data(), challenge.data(), secret.data());
  crypto_core_ed25519_scalar_add(answer.data(), answer.data(), nonce.data());
  return concatenated(point.view(), answer);
}

struct Rfc8032Vector {
  std::string_view secret_seed, public_key, message, signature;
};
// RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc).
constexpr Rfc8032Vector rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
     "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
     "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
     "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
     "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ec"
     "fdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

}  // namespace

TEST_CASE("signatures and keys are those of RFC 8032") {
  for (const Rfc8032Vector& vector : rfc8032) {
    const Ed25519Key key(from_hex(vector.secret_seed).view());
    const Bytes message = from_hex(vector.message);
    CHECK(hex(key.public_key().view()) == vector.public_key);
    CHECK(hex(key.sign(message.view()).view()) == vector.signature);
    CHECK(check(from_hex(vector.public_key), message.view(), from_hex(vector.signature).view()) ==
          SignatureCheck::valid);
  }
}

TEST_CASE("a signature is valid for its signer and its message only") {
  const Ed25519Key alice(seed(1).view());
  const Ed25519Key bob(seed(2).view());
  const SodiumCrypto crypto(seed(3).view(),
                            {{NodeId(1), alice.public_key()}, {NodeId(2), bob.public_key()}},
                            {{ClientId(1), bob.public_key()}});
  const ByteView message = bytes_of("message");
  const Bytes signature = alice.sign(message);
  CHECK(crypto.verify_node(NodeId(1), Epoch(0), message, signature.view()) ==
        SignatureCheck::valid);
  CHECK(crypto.verify_node(NodeId(2), Epoch(0), message, signature.view()) ==
        SignatureCheck::invalid);
  CHECK(crypto.verify_client(ClientId(1), message, signature.view()) == SignatureCheck::invalid);
  CHECK(crypto.verify_node(NodeId(3), Epoch(0), message, signature.view()) ==
        SignatureCheck::unknown_signer);
  CHECK(crypto.verify_client(ClientId(2), message, {}) == SignatureCheck::unknown_signer);
  CHECK(crypto.verify_node(NodeId(1), Epoch(0), bytes_of("massage"), signature.view()) ==
        SignatureCheck::invalid);
  CHECK(crypto.verify_client(ClientId(1), message, bob.sign(message).view()) ==
        SignatureCheck::valid);
}

TEST_CASE("a node signs with its own key") {
  const Ed25519Key own(seed(1).view());
  const SodiumCrypto crypto(seed(1).view(), {{NodeId(1), own.public_key()}}, {});
  const ByteView message = bytes_of("message");
  CHECK(crypto.verify_node(NodeId(1), Epoch(0), message, crypto.sign(Epoch(0), message).view()) ==
        SignatureCheck::valid);
}

TEST_CASE("every changed bit of a signature makes it invalid, every other length malformed") {
  const Ed25519Key key(seed(1).view());
  const SodiumCrypto crypto = verifier(key.public_key());
  const ByteView message = bytes_of("message");
  const Bytes signature = key.sign(message);
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::vector<std::uint8_t> changed(signature.begin(), signature.end());
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    REQUIRE(crypto.verify_node(NodeId(1), Epoch(0), message, changed) == SignatureCheck::invalid);
  }
  const Bytes longer = concatenated(signature.view(), Bytes{0}.view());
  for (std::size_t size = 0; size <= longer.size(); ++size) {
    const SignatureCheck expected =
        size == signature.size() ? SignatureCheck::valid : SignatureCheck::malformed;
    REQUIRE(crypto.verify_node(NodeId(1), Epoch(0), message, longer.view().first(size)) ==
            expected);
  }
}

TEST_CASE("edge: a signature with S + L in place of S is invalid, so there is one per nonce") {
  const Ed25519Key key(seed(1).view());
  const Bytes order = from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  const Bytes signature = key.sign(bytes_of("message"));
  std::vector<std::uint8_t> malleated(signature.begin(), signature.end());
  unsigned carry = 0;
  for (std::size_t at = 0; at < order.size(); ++at) {
    carry += malleated[32 + at] + unsigned{order[at]};
    malleated[32 + at] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  CHECK(check(key.public_key(), bytes_of("message"), signature.view()) == SignatureCheck::valid);
  CHECK(check(key.public_key(), bytes_of("message"), malleated) == SignatureCheck::invalid);
}

TEST_CASE("edge: R of small order or with a part of small order is invalid") {
  const Bytes secret = seed(1);
  const Bytes key = Ed25519Key(secret.view()).public_key();
  const ByteView message = bytes_of("message");
  const Scalar nonce = hashed_scalar(bytes_of("nonce"));
  const Bytes honest = times_base(nonce);
  CHECK(check(key, message, forged(honest, nonce, secret, message).view()) ==
        SignatureCheck::valid);

  const Bytes mixed = point_sum(honest, from_hex(of_order_8));
  CHECK(check(key, message, forged(mixed, nonce, secret, message).view()) ==
        SignatureCheck::invalid);

  // With R the identity and nonce 0 the equation holds even without a cofactor.
  for (const std::string_view point : small_order)
    CHECK(check(key, message, forged(from_hex(point), Scalar{}, secret, message).view()) ==
          SignatureCheck::invalid);
  for (const std::string_view point : non_canonical)
    CHECK(check(key, message, forged(from_hex(point), Scalar{}, secret, message).view()) ==
          SignatureCheck::invalid);
}

TEST_CASE("edge: keys of small order, non-canonical, off the curve or of mixed order are refused") {
  std::vector<Bytes> bad;
  for (const std::string_view point : small_order) bad.push_back(from_hex(point));
  for (const std::string_view point : non_canonical) bad.push_back(from_hex(point));
  const Bytes good = Ed25519Key(seed(1).view()).public_key();
  bad.push_back(point_sum(good, from_hex(of_order_8)));
  bad.push_back(from_hex("0200000000000000000000000000000000000000000000000000000000000000"));
  bad.push_back(good.slice(0, 31));
  bad.push_back(concatenated(good.view(), Bytes{0}.view()));
  bad.push_back(Bytes());

  for (const Bytes& key : bad) {
    CHECK_THROWS_AS(verifier(key), ConfigError);
    SodiumCrypto crypto = verifier(good);
    crypto.update_node_key(NodeId(1), Epoch(0), key);
    CHECK(crypto.status().malformed_keys == 1);
    const Bytes lax = concatenated(from_hex(identity).view(), Scalar{});  // S = 0, R = 0·B
    CHECK(crypto.verify_node(NodeId(1), Epoch(0), {}, lax.view()) ==
          SignatureCheck::unknown_signer);
  }
}

TEST_CASE("keys are set, replaced and removed") {
  const Ed25519Key first(seed(1).view());
  const Ed25519Key second(seed(2).view());
  SodiumCrypto crypto(seed(3).view(), {}, {});
  const ByteView message = bytes_of("message");
  const auto client_check = [&](const Ed25519Key& key) {
    return crypto.verify_client(ClientId(7), message, key.sign(message).view());
  };
  CHECK(client_check(first) == SignatureCheck::unknown_signer);
  crypto.update_client_key(ClientId(7), first.public_key());
  CHECK(client_check(first) == SignatureCheck::valid);
  CHECK(crypto.verify_node(NodeId(7), Epoch(0), message, first.sign(message).view()) ==
        SignatureCheck::unknown_signer);
  crypto.update_client_key(ClientId(7), second.public_key());
  CHECK(client_check(first) == SignatureCheck::invalid);
  CHECK(client_check(second) == SignatureCheck::valid);
  CHECK(crypto.status().clients == 1);
  const std::optional<Bytes> none;
  crypto.update_client_key(ClientId(7), none);
  CHECK(client_check(second) == SignatureCheck::unknown_signer);
  CHECK(crypto.status().clients == 0);
  CHECK(crypto.status().malformed_keys == 0);
}

TEST_CASE("a node's signature is judged by its key of the epoch, until that is forgotten") {
  const Ed25519Key old_key(seed(1).view());
  const Ed25519Key new_key(seed(2).view());
  SodiumCrypto crypto(seed(3).view(), {{NodeId(1), old_key.public_key()}}, {});
  const auto check = [&](std::uint64_t epoch, const Ed25519Key& key) {
    const ByteView message = bytes_of("message");
    return crypto.verify_node(NodeId(1), Epoch(epoch), message, key.sign(message).view());
  };
  crypto.update_node_key(NodeId(1), Epoch(7), new_key.public_key());
  for (const std::uint64_t epoch : {0u, 6u, 7u, 100u}) {
    CAPTURE(epoch);
    const bool is_new = epoch >= 7;
    CHECK(check(epoch, old_key) == (is_new ? SignatureCheck::invalid : SignatureCheck::valid));
    CHECK(check(epoch, new_key) == (is_new ? SignatureCheck::valid : SignatureCheck::invalid));
  }
  crypto.forget_node_keys(Epoch(6));
  CHECK(check(6, old_key) == SignatureCheck::valid);
  crypto.forget_node_keys(Epoch(7));
  CHECK(check(6, old_key) == SignatureCheck::unknown_signer);
  CHECK(check(7, new_key) == SignatureCheck::valid);
  crypto.update_node_key(NodeId(1), Epoch(9), std::nullopt);
  CHECK(check(8, new_key) == SignatureCheck::valid);
  CHECK(check(9, new_key) == SignatureCheck::unknown_signer);
  CHECK(crypto.status().nodes == 0);
}

TEST_CASE("a node signs with the key pair that is in force, and says which one it lacks") {
  const Ed25519Key old_key(seed(1).view());
  const Ed25519Key new_key(seed(2).view());
  const std::map<NodeId, Bytes> nodes{{NodeId(1), old_key.public_key()}};
  const ByteView message = bytes_of("message");
  const char* const lacks =
      "Ed25519: node 1 lacks the secret key to its public key in epoch 7: start it with the seed "
      "of that one too";
  SUBCASE("it has both") {
    SodiumCrypto crypto({new_key, old_key}, NodeId(1), nodes, {});
    crypto.update_node_key(NodeId(1), Epoch(7), new_key.public_key());
    CHECK(crypto.sign(Epoch(6), message) == old_key.sign(message));
    CHECK(crypto.sign(Epoch(7), message) == new_key.sign(message));
  }
  SUBCASE("it has only the old one") {
    SodiumCrypto crypto({old_key}, NodeId(1), nodes, {});
    crypto.update_node_key(NodeId(1), Epoch(7), new_key.public_key());
    CHECK(crypto.sign(Epoch(6), message) == old_key.sign(message));
    CHECK_THROWS_WITH_AS((void)crypto.sign(Epoch(7), message), lacks, ModuleFailure);
  }
  SUBCASE("it was not told which node it is") {
    SodiumCrypto crypto(seed(1).view(), nodes, {});
    crypto.update_node_key(NodeId(1), Epoch(7), new_key.public_key());
    CHECK_THROWS_WITH_AS((void)crypto.sign(Epoch(7), message), lacks, ModuleFailure);
  }
  CHECK_THROWS_AS(SodiumCrypto({}, NodeId(1), nodes, {}), ConfigError);
}

TEST_CASE("wrong configuration is named") {
  CHECK_THROWS_WITH_AS(Ed25519Key(Bytes("short").view()), "seed = 5 bytes: must be 32 secret bytes",
                       ConfigError);
  CHECK_THROWS_WITH_AS(SodiumCrypto(seed(1).view(), {}, {{ClientId(4), Bytes{0xab}}}),
                       "client_keys[4] = ab: must be an Ed25519 public key of 32 bytes",
                       ConfigError);
}

TEST_CASE("random seeds differ") { CHECK(Ed25519Key::random_seed() != Ed25519Key::random_seed()); }

TEST_SUITE("threads") {
  TEST_CASE("several threads sign and verify at once") {
    const Ed25519Key key(seed(1).view());
    const SodiumCrypto crypto(seed(1).view(), {{NodeId(1), key.public_key()}}, {});
    std::array<int, 4> valid{};
    std::vector<std::thread> threads;
    for (int& count : valid) {
      threads.emplace_back([&crypto, &count] {
        for (int round = 0; round < 20; ++round) {
          const Bytes message(std::to_string(round));
          const Bytes signature = crypto.sign(Epoch(0), message.view());
          const SignatureCheck verdict =
              crypto.verify_node(NodeId(1), Epoch(0), message.view(), signature.view());
          count += verdict == SignatureCheck::valid ? 1 : 0;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const int count : valid) CHECK(count == 20);
  }
}

TEST_CASE("one that is made of another's configuration verifies alike, and does not sign") {
  const Ed25519Key node(seed(1).view()), client(seed(2).view());
  const SodiumCrypto made(seed(1).view(), {{NodeId(4), node.public_key()}},
                          {{ClientId(7), client.public_key()}});
  const SodiumCrypto again(
      wire::parse_config<PublicKeys>(wire::to_json(made.config()), "configuration"));
  const auto verified = [&](const SodiumCrypto& crypto) {
    return std::array{
        crypto.verify_node(NodeId(4), Epoch(3), bytes_of("a"), node.sign(bytes_of("a")).view()),
        crypto.verify_node(NodeId(4), Epoch(3), bytes_of("b"), node.sign(bytes_of("a")).view()),
        crypto.verify_node(NodeId(7), Epoch(3), bytes_of("a"), node.sign(bytes_of("a")).view()),
        crypto.verify_client(ClientId(7), bytes_of("a"), client.sign(bytes_of("a")).view())};
  };
  CHECK(verified(again) == verified(made));
  CHECK(verified(again) == std::array{SignatureCheck::valid, SignatureCheck::invalid,
                                      SignatureCheck::unknown_signer, SignatureCheck::valid});
  CHECK_THROWS_WITH_AS(again.sign(Epoch(0), bytes_of("a")), doctest::Contains("cannot sign"),
                       ModuleFailure);
}

TEST_CASE("a key that is replaced is not told any more, one that is gone neither") {
  SodiumCrypto crypto(seed(1).view(), {{NodeId(1), Ed25519Key(seed(1).view()).public_key()}},
                      {{ClientId(7), Ed25519Key(seed(2).view()).public_key()}});
  const Bytes newer = Ed25519Key(seed(3).view()).public_key();
  crypto.update_node_key(NodeId(1), Epoch(5), newer);
  crypto.update_client_key(ClientId(7), std::nullopt);
  CHECK(crypto.config().nodes == std::vector<NodeKey>{{NodeId(1), newer}});
  CHECK(crypto.config().clients.empty());
}

}  // namespace mirbft::sodium_test
