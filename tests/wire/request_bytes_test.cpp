#include <doctest/doctest.h>

#include <set>
#include <vector>

#include <mirbft/wire/request_bytes.hpp>

namespace mirbft::request_bytes_test {

namespace {

Bytes joined(const std::vector<Bytes>& parts) {
  std::vector<std::uint8_t> all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return Bytes(ByteView(all));
}

Bytes hashed(const char* cluster, std::uint64_t client, std::uint64_t req_no, const char* body) {
  return joined(
      wire::request_parts(bytes_of(cluster), ClientId(client), ReqNo(req_no), Bytes(body)));
}

}  // namespace

TEST_CASE("what is hashed of a request is fixed for good") {
  CHECK(hex(hashed("C", 1, 258, "ab").view()) ==
        "0700000000000000"
        "72657175657374"  // request
        "0100000000000000"
        "43"  // C
        "1800000000000000"
        "0100000000000000"
        "0201000000000000"
        "0200000000000000"
        "6162");
}

TEST_CASE("the body is handed on, not copied") {
  const Bytes body("a body");
  const std::vector<Bytes> parts = wire::request_parts({}, ClientId(1), ReqNo(2), body);
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].data() == body.data());
}

TEST_CASE("whatever differs is hashed differently") {
  const std::set<Bytes> different{
      hashed("C", 1, 2, "ab"), hashed("D", 1, 2, "ab"), hashed("", 1, 2, "ab"),
      hashed("C", 2, 2, "ab"), hashed("C", 1, 3, "ab"), hashed("C", 1, 2, "abc"),
      hashed("C", 1, 2, "")};
  CHECK(different.size() == 7);
}

TEST_CASE("a client signs the cluster, its number and the digest") {
  RequestRef reference{ClientId(1), ReqNo(2), {}};
  reference.digest.bytes.fill(0xab);
  const Bytes signed_bytes = wire::request_signature_bytes(bytes_of("C"), reference);
  CHECK(signed_bytes.text().find("request signature") == 8);

  RequestRef other = reference;
  other.digest.bytes[31] = 0;
  CHECK(wire::request_signature_bytes(bytes_of("C"), other) != signed_bytes);
  other = reference;
  ++other.req_no;
  CHECK(wire::request_signature_bytes(bytes_of("C"), other) != signed_bytes);
  CHECK(wire::request_signature_bytes(bytes_of("D"), reference) != signed_bytes);
}

}  // namespace mirbft::request_bytes_test
