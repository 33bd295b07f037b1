#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <mirbft/modules/net/tls_identity.hpp>

namespace mirbft::tls_identity_test {

namespace {

/// The message of the `ConfigError` that this throws.
template <class Attempt>
std::string refusal(Attempt attempt) {
  try {
    attempt();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST_CASE("an identity is an Ed25519 key and a certificate of it that it has signed itself") {
  const TlsIdentity made = TlsIdentity::generate("node 3");
  CHECK(EVP_PKEY_is_a(made.key(), "ED25519") == 1);
  CHECK(X509_verify(made.certificate(), made.key()) == 1);
  CHECK(X509_check_private_key(made.certificate(), made.key()) == 1);
  X509_NAME* const subject = X509_get_subject_name(made.certificate());
  char name[65] = {};
  CHECK(X509_NAME_get_text_by_NID(subject, NID_commonName, name, sizeof name) == 6);
  CHECK(std::string_view(name) == "node 3");
  CHECK(X509_NAME_cmp(subject, X509_get_issuer_name(made.certificate())) == 0);
  CHECK(X509_cmp_time(X509_get0_notBefore(made.certificate()), nullptr) < 0);
  CHECK(X509_cmp_time(X509_get0_notAfter(made.certificate()), nullptr) > 0);
}

TEST_CASE("each identity is another one") {
  const TlsIdentity first = TlsIdentity::generate("same");
  const TlsIdentity second = TlsIdentity::generate("same");
  CHECK(first.fingerprint() != second.fingerprint());
  CHECK(EVP_PKEY_eq(first.key(), second.key()) == 0);
  CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(first.certificate()),
                         X509_get0_serialNumber(second.certificate())) != 0);
}

TEST_CASE("an identity survives PEM, and so does its fingerprint") {
  const TlsIdentity made = TlsIdentity::generate("node 0");
  const TlsIdentity read = TlsIdentity::from_pem(made.certificate_pem(), made.key_pem());
  CHECK(read.certificate_pem() == made.certificate_pem());
  CHECK(read.key_pem() == made.key_pem());
  CHECK(read.fingerprint() == made.fingerprint());
  CHECK(fingerprint(made.certificate_pem()) == made.fingerprint());
  CHECK(made.certificate_pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
  CHECK(made.key_pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

TEST_CASE("a fingerprint is that which `openssl x509 -fingerprint -sha256` prints") {
  // Made by: openssl req -x509 -newkey ed25519 -nodes -subj "/CN=known" -days 36500
  constexpr std::string_view known =
      "-----BEGIN CERTIFICATE-----\n"
      "MIIBNjCB6aADAgECAhRUX2cUOWEcCmEXkD8mFSQZC1IrWDAFBgMrZXAwEDEOMAwG\n"
      "A1UEAwwFa25vd24wIBcNMjYxMTIzMTMxNTIwWhgPMjEyNjEwMzAxMzE1MjBaMBAx\n"
      "DjAMBgNVBAMMBWtub3duMCowBQYDK2VwAyEAbiKl4r8Wnov+OSYFH01BcJ3zR5Bv\n"
      "juwZFoQT37Ln/QGjUzBRMB0GA1UdDgQWBBSy3g1IgyAUnZnnpL1HICz/JsuqVzAf\n"
      "BgNVHSMEGDAWgBSy3g1IgyAUnZnnpL1HICz/JsuqVzAPBgNVHRMBAf8EBTADAQH/\n"
      "MAUGAytlcANBAC1IY7ISRd3o3RCQWwk/hQ2YsKak07Zz8CiHh6239pADx/8el5p5\n"
      "1LWUwpENDPwvLcugSf6+YZXeazJAx1cioQs=\n"
      "-----END CERTIFICATE-----\n";
  CHECK(hex(fingerprint(known)) ==
        "ed505e83e0675d252b0751a273ee1b0ebe9ad657fe6de79744ea014483bdd55c");
}

TEST_CASE("copies share certificate and key, and outlive what they were copied from") {
  TlsIdentity copy = TlsIdentity::generate("other");
  Digest expected;
  {
    const TlsIdentity made = TlsIdentity::generate("node 0");
    expected = made.fingerprint();
    copy = made;
    CHECK(copy.certificate() == made.certificate());
  }
  const TlsIdentity moved = std::move(copy);
  CHECK(moved.fingerprint() == expected);
  CHECK(X509_check_private_key(moved.certificate(), moved.key()) == 1);
}

TEST_CASE("what is no identity is refused, and no message shows a key") {
  const TlsIdentity one = TlsIdentity::generate("one");
  const TlsIdentity two = TlsIdentity::generate("two");
  CHECK(refusal([&] { TlsIdentity::from_pem("", one.key_pem()); }) ==
        "certificate = 0 bytes: must be an X.509 certificate in PEM, -----BEGIN CERTIFICATE-----");
  CHECK(refusal([&] { TlsIdentity::from_pem(one.key_pem(), one.key_pem()); })
            .starts_with("certificate = 119 bytes: must be an X.509 certificate"));
  CHECK(refusal([&] { TlsIdentity::from_pem(one.certificate_pem().substr(0, 200), ""); })
            .starts_with("certificate = 200 bytes: must be an X.509 certificate"));
  CHECK(refusal([] { fingerprint("no certificate"); })
            .starts_with("certificate = 14 bytes: must be an X.509 certificate"));
  CHECK(refusal([&] { TlsIdentity::from_pem(one.certificate_pem(), "no key"); }) ==
        "key = 6 bytes, not shown: must be an Ed25519 private key in PEM without a password, "
        "-----BEGIN PRIVATE KEY-----");
  CHECK(refusal([&] { TlsIdentity::from_pem(one.certificate_pem(), two.key_pem()); }) ==
        "key = not shown: belongs to another certificate than \"" + hex(one.fingerprint()) +
            "\"; keep the files of one identity together");
}

TEST_CASE("only Ed25519 keys without a password are taken, and nobody is asked for one") {
  const TlsIdentity one = TlsIdentity::generate("one");
  const std::string locked = detail::pem_written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, one.key(), EVP_aes_128_cbc(), "secret", 6, nullptr,
                                         nullptr);
  });
  const detail::PrivateKey other(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const std::string curve = detail::pem_written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, other.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  for (const std::string& key : {locked, curve})
    CHECK(refusal([&] { TlsIdentity::from_pem(one.certificate_pem(), key); })
              .find("must be an Ed25519 private key in PEM without a password") !=
          std::string::npos);
}

TEST_CASE("a name has 1 to 64 characters of text") {
  CHECK(refusal([] { TlsIdentity::generate(""); }) ==
        "name = \"\": must be UTF-8 text of 1 to 64 characters");
  CHECK(refusal([] { TlsIdentity::generate(std::string(65, 'x')); })
            .ends_with("must be UTF-8 text of 1 to 64 characters"));
  CHECK(refusal([] { TlsIdentity::generate("\xff\xfe"); })
            .ends_with("must be UTF-8 text of 1 to 64 characters"));
  CHECK_NOTHROW(TlsIdentity::generate(std::string(64, 'x')));
}

}  // namespace mirbft::tls_identity_test
