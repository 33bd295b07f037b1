#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <mirbft/modules/hasher/openssl.hpp>

namespace mirbft::openssl_test {

namespace {

std::string digest_of(std::string_view message) {
  Sha256 hasher;
  hasher.update(bytes_of(message));
  return hex(hasher.finish());
}

}  // namespace

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(digest_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest_of(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a message may come in any parts") {
  const std::string message(300, 'x');
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    Sha256 hasher;
    hasher.update(bytes_of(message).first(cut));
    hasher.update({});
    hasher.update(bytes_of(message).subspan(cut));
    REQUIRE(hex(hasher.finish()) == digest_of(message));
  }
}

TEST_CASE("finish leaves an empty message, also after a move") {
  Sha256 hasher;
  hasher.update(bytes_of("abc"));
  const std::string first = hex(hasher.finish());
  CHECK(hex(hasher.finish()) == digest_of(""));
  hasher.update(bytes_of("a"));
  Sha256 moved = std::move(hasher);
  moved.update(bytes_of("bc"));
  CHECK(hex(moved.finish()) == first);
}

}  // namespace mirbft::openssl_test
