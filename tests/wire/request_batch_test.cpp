// The bytes of a batch's authenticators: one way to write each, and nothing else is read.
#include <mirbft/wire/request_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/wire/request_bytes.hpp>

namespace mirbft::request_batch_test {

namespace {

constexpr std::size_t signature_size = 64;

/// Keeps what it is given to hash.
struct Listener {
  std::vector<Bytes> heard;

  void update(ByteView bytes) { heard.emplace_back(bytes); }
  Digest finish() { return {}; }
};

Digest digest(std::uint8_t number) {
  Digest made;
  made.bytes.fill(number);
  return made;
}
std::vector<Digest> path_of(std::size_t length) {
  std::vector<Digest> path;
  for (std::size_t i = 0; i < length; ++i) path.push_back(digest(static_cast<std::uint8_t>(i)));
  return path;
}
const Bytes signature(std::vector<std::uint8_t>(signature_size, 0xee));

Bytes written(std::uint16_t leaf, std::uint16_t leaves, std::size_t path) {
  return wire::write_batch_authenticator(leaf, leaves, path_of(path), signature.view());
}
std::optional<wire::BatchAuthenticator> read(const Bytes& bytes) {
  return wire::read_batch_authenticator(bytes.view(), signature_size);
}

}  // namespace

TEST_CASE("what is hashed and signed of a batch is fixed for good") {
  CHECK(hex(wire::batch_signature_bytes(bytes_of("C"), {ClientId(1), digest(0xaa), 258}).view()) ==
        "1700000000000000"
        "726571756573742062617463682073"
        "69676e6174757265"  // request batch signature
        "0100000000000000"
        "43"  // C
        "3000000000000000"
        "0100000000000000"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "0201000000000000");
  Listener hasher;
  wire::batch_leaf(hasher, bytes_of("C"), {ClientId(1), ReqNo(2), digest(0xaa)});
  wire::batch_node(hasher, digest(0xaa), digest(0xbb));
  REQUIRE(hasher.heard.size() == 2);
  CHECK(hex(hasher.heard[0].view()) ==
        "1200000000000000"
        "72657175657374206261746368206c656166"  // request batch leaf
        "0100000000000000"
        "43"
        "3000000000000000"
        "0100000000000000"
        "0200000000000000"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  CHECK(hex(hasher.heard[1].view()) ==
        "1200000000000000"
        "72657175657374206261746368206e6f6465"  // request batch node
        "0000000000000000"
        "4000000000000000"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
}

TEST_CASE("leaves, nodes and both kinds of signatures are of different bytes, as is each value") {
  const RequestRef reference{ClientId(1), ReqNo(2), digest(0xaa)};
  Listener hasher;
  wire::batch_leaf(hasher, bytes_of("C"), reference);
  wire::batch_leaf(hasher, bytes_of("D"), reference);
  wire::batch_leaf(hasher, bytes_of("C"), {ClientId(1), ReqNo(3), digest(0xaa)});
  wire::batch_leaf(hasher, bytes_of("C"), {ClientId(2), ReqNo(2), digest(0xaa)});
  wire::batch_leaf(hasher, bytes_of("C"), {ClientId(1), ReqNo(2), digest(0xab)});
  wire::batch_node(hasher, digest(1), digest(2));
  wire::batch_node(hasher, digest(2), digest(1));
  std::set<Bytes> all(hasher.heard.begin(), hasher.heard.end());
  all.insert(wire::request_signature_bytes(bytes_of("C"), reference));
  all.insert(wire::batch_signature_bytes(bytes_of("C"), {ClientId(1), digest(0xaa), 2}));
  all.insert(wire::batch_signature_bytes(bytes_of("D"), {ClientId(1), digest(0xaa), 2}));
  all.insert(wire::batch_signature_bytes(bytes_of("C"), {ClientId(2), digest(0xaa), 2}));
  all.insert(wire::batch_signature_bytes(bytes_of("C"), {ClientId(1), digest(0xab), 2}));
  all.insert(wire::batch_signature_bytes(bytes_of("C"), {ClientId(1), digest(0xaa), 3}));
  CHECK(all.size() == 13);
}

TEST_CASE("an authenticator is its place, the size of its batch, its path and the signature") {
  const Bytes bytes = wire::write_batch_authenticator(2, 259, path_of(9), signature.view());
  CHECK(bytes.size() == 4 + 9 * 32 + 64);
  CHECK(hex(bytes.slice(0, 6).view()) == "020003010000");
  CHECK(bytes.slice(bytes.size() - 64, 64) == signature);

  const auto found = read(bytes);
  REQUIRE(found);
  CHECK(found->leaf == 2);
  CHECK(found->leaves == 259);
  CHECK(std::vector(found->path().begin(), found->path().end()) == path_of(9));
  CHECK(Bytes(found->signature) == signature);
}

TEST_CASE("every place of every batch has one length of path") {
  const auto check = [](std::uint16_t leaf, std::uint16_t leaves) {
    const std::size_t right = merkle_path_length(leaf, leaves);
    for (std::size_t length = 0; length <= 12; ++length)
      if (read(written(leaf, leaves, length)).has_value() != (length == right)) return false;
    return true;
  };
  for (std::uint16_t leaves = 2; leaves <= 40; ++leaves)
    for (std::uint16_t leaf = 0; leaf < leaves; ++leaf) REQUIRE(check(leaf, leaves));
  for (const std::uint16_t leaves : std::vector<std::uint16_t>{511, 512, 513, 1023, 1024})
    for (std::uint16_t leaf = 0; leaf < leaves; ++leaf) REQUIRE(check(leaf, leaves));
}

TEST_CASE("a place beyond the batch, and batches of none, one or too many, are not read") {
  const auto is_read_at_all = [](std::uint16_t leaf, std::uint16_t leaves) {
    for (std::size_t length = 0; length <= 17; ++length)
      if (read(written(leaf, leaves, length))) return true;
    return false;
  };
  CHECK(is_read_at_all(1, 2));
  CHECK(is_read_at_all(1023, 1024));
  CHECK_FALSE(is_read_at_all(2, 2));
  CHECK_FALSE(is_read_at_all(0xffff, 2));
  CHECK_FALSE(is_read_at_all(0, 0));
  CHECK_FALSE(is_read_at_all(0, 1));
  CHECK_FALSE(is_read_at_all(0, 1025));
  CHECK_FALSE(is_read_at_all(0, 0xffff));
}

TEST_CASE("what is cut off or has more at its end is not read") {
  const Bytes bytes = written(5, 8, 3);
  REQUIRE(read(bytes));
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(read(bytes.slice(0, length)));
  std::vector<std::uint8_t> longer(bytes.begin(), bytes.end());
  longer.push_back(0);
  CHECK_FALSE(read(Bytes(longer)));
  CHECK_FALSE(read(signature));
}

}  // namespace mirbft::request_batch_test
