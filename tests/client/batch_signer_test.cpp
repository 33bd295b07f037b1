#include <mirbft/client/batch_signer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include "../support/iss_values.hpp"

namespace mirbft::batch_signer_test {

namespace {

/// Signs by the message itself, and counts.
struct MirrorKey {
  std::vector<Bytes>* signed_messages;

  Bytes sign(ByteView message) const {
    signed_messages->emplace_back(message);
    return Bytes(message);
  }
};

struct PlainHasher {
  std::vector<std::uint8_t> text;

  void update(ByteView bytes) { text.insert(text.end(), bytes.begin(), bytes.end()); }
  Digest finish() {
    const Digest digest = mirbft::testing::digest_of_bytes(text);
    text.clear();
    return digest;
  }
};

struct Fixture {
  const Bytes cluster{"cluster"};
  std::vector<Bytes> signed_messages;
  BatchSigner<MirrorKey, PlainHasher> signer{{&signed_messages}, cluster};

  static std::vector<RequestRef> requests(std::size_t count) {
    std::vector<RequestRef> made;
    for (std::size_t i = 0; i < count; ++i) made.push_back({ClientId(7), ReqNo(i), {}});
    return made;
  }
  /// The root that the authenticator claims for the request, as the bytes that are signed.
  Bytes claimed(const RequestRef& request, const Bytes& authenticator) const {
    const std::size_t size = wire::batch_signature_bytes(cluster.view(), {}).size();
    const auto read = wire::read_batch_authenticator(authenticator.view(), size);
    REQUIRE(read);
    PlainHasher hasher;
    const Digest root = merkle_root(
        wire::batch_leaf(hasher, cluster.view(), request), read->leaf, read->leaves,
        read->path(), [&](const Digest& left, const Digest& right) {
          return wire::batch_node(hasher, left, right);
        });
    CHECK(std::ranges::equal(
        read->signature,
        wire::batch_signature_bytes(cluster.view(), {request.client, root, read->leaves})));
    return Bytes(read->signature);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "nothing to sign is no signature") {
  CHECK(signer.sign({}).empty());
  CHECK(signed_messages.empty());
}

TEST_CASE_FIXTURE(Fixture, "a single request is signed plainly") {
  const std::vector<RequestRef> one = requests(1);
  CHECK(signer.sign(one) == std::vector<Bytes>{
                                wire::request_signature_bytes(cluster.view(), one.front())});
  CHECK(signed_messages.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "many are signed once, and each leads to what is signed") {
  for (std::size_t count = 2; count < 40; ++count) {
    CAPTURE(count);
    signed_messages.clear();
    const std::vector<RequestRef> all = requests(count);
    const std::vector<Bytes> authenticators = signer.sign(all);
    REQUIRE(authenticators.size() == count);
    REQUIRE(signed_messages.size() == 1);
    for (std::size_t i = 0; i < count; ++i)
      CHECK(claimed(all[i], authenticators[i]) == signed_messages.front());
  }
}

TEST_CASE_FIXTURE(Fixture, "more than a batch holds are several, and a rest of one is alone") {
  const std::vector<RequestRef> all = requests(2 * wire::max_batch_leaves + 1);
  const std::vector<Bytes> authenticators = signer.sign(all);
  REQUIRE(authenticators.size() == all.size());
  REQUIRE(signed_messages.size() == 3);
  CHECK(claimed(all[0], authenticators[0]) == signed_messages[0]);
  CHECK(claimed(all[1023], authenticators[1023]) == signed_messages[0]);
  CHECK(claimed(all[1024], authenticators[1024]) == signed_messages[1]);
  CHECK(claimed(all[2047], authenticators[2047]) == signed_messages[1]);
  CHECK(authenticators.back() == wire::request_signature_bytes(cluster.view(), all.back()));
}

TEST_CASE_FIXTURE(Fixture, "requests of several clients are refused before any is signed") {
  std::vector<RequestRef> all = requests(3);
  all[2].client = ClientId(8);
  CHECK_THROWS_WITH_AS(signer.sign(all),
                       "requests = client 8: must all be of client 7, as the first one is",
                       ConfigError);
  CHECK(signed_messages.empty());
}

}  // namespace mirbft::batch_signer_test
