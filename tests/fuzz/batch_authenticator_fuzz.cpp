// Any bytes as the authenticator of a request: they are read to the last byte and written again as
// they were, or are none. What was not signed is not believed, whatever is known already.
//
// Random bytes are rarely near the right ones, so the first three choose a request, and the others
// are read once as its authenticator, and once as what to change in the sound one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/modules/crypto/batch.hpp>

namespace {

using namespace mirbft;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Not safe, but quick, and as long as Ed25519's.
struct Checksum {
  std::uint64_t state = 1;

  void update(ByteView bytes) {
    for (const std::uint8_t byte : bytes) state = (state ^ byte) * 0x9e3779b97f4a7c15u + 1;
  }
  Digest finish() {
    Digest digest;
    for (std::uint8_t& byte : digest.bytes) {
      state = (state ^ state >> 29) * 0x9e3779b97f4a7c15u;
      byte = static_cast<std::uint8_t>(state >> 56);
    }
    state = 1;
    return digest;
  }
};

/// What was signed. The fuzzer watches comparisons, and would learn any signature that it could be
/// shown; so only these messages have one.
std::set<Bytes>& signed_messages() {
  static std::set<Bytes> messages;
  return messages;
}

struct ChecksumKey {
  Bytes sign(ByteView message) const {
    signed_messages().insert(Bytes(message));
    Checksum sum;
    sum.update(message);
    const Digest half = sum.finish();
    return Bytes::filled(64, [&](std::uint8_t* out) {
      out = std::copy(half.bytes.begin(), half.bytes.end(), out);
      std::copy(half.bytes.begin(), half.bytes.end(), out);
    });
  }
};

struct ChecksumCrypto {
  static constexpr std::size_t signature_size = 64;

  SignatureCheck verify_client(ClientId, ByteView message, ByteView signature) const {
    if (signature.size() != signature_size) return SignatureCheck::malformed;
    if (!signed_messages().contains(Bytes(message))) return SignatureCheck::invalid;
    return std::ranges::equal(ChecksumKey().sign(message), signature) ? SignatureCheck::valid
                                                                      : SignatureCheck::invalid;
  }
};

using Verifier = BatchVerifier<ChecksumCrypto, Checksum>;

const Bytes cluster("cluster");

/// One client's batches, and the requests of each.
struct SignedBatch {
  std::vector<RequestRef> requests;
  std::vector<Bytes> authenticators;

  explicit SignedBatch(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) requests.push_back({ClientId(1), ReqNo(i), {}});
    authenticators = BatchSigner<ChecksumKey, Checksum>({}, cluster).sign(requests);
  }
};

void check_reading(ByteView bytes) {
  const auto read = wire::read_batch_authenticator(bytes, ChecksumCrypto::signature_size);
  if (!read) return;
  require(bytes.size() != ChecksumCrypto::signature_size);
  require(read->leaf < read->leaves && read->leaves <= wire::max_batch_leaves);
  require(std::ranges::equal(
      wire::write_batch_authenticator(read->leaf, read->leaves, read->path(), read->signature),
      bytes));
}

/// Only the request's own authenticator, as it was made, is good.
void check_verdict(const Verifier& knowing, const SignedBatch& batch, std::size_t place,
                   ByteView bytes) {
  const RequestRef& request = batch.requests[place];
  const SignatureCheck verdict = knowing.verify_request(cluster.view(), request, bytes);
  require((verdict == SignatureCheck::valid) ==
          std::ranges::equal(batch.authenticators[place], bytes));
  require(Verifier(ChecksumCrypto()).verify_request(cluster.view(), request, bytes) == verdict);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<SignedBatch> batches{SignedBatch(2), SignedBatch(3), SignedBatch(6),
                                                SignedBatch(33), SignedBatch(1024)};
  static const Verifier knowing = [] {
    Verifier crypto{ChecksumCrypto()};
    for (const SignedBatch& batch : batches)
      require(crypto.verify_request(cluster.view(), batch.requests.front(),
                                    batch.authenticators.front().view()) ==
              SignatureCheck::valid);
    return crypto;
  }();

  const ByteView input(data, size);
  check_reading(input);
  if (size < 3) return 0;
  const SignedBatch& batch = batches[input[0] % batches.size()];
  const std::size_t place = (input[1] | std::size_t{input[2]} << 8) % batch.requests.size();
  check_verdict(knowing, batch, place, input.subspan(3));

  // Three bytes an order: where, and what to write there; from beyond the end on, append.
  const Bytes& right = batch.authenticators[place];
  std::vector<std::uint8_t> changed(right.begin(), right.end());
  for (ByteView orders = input.subspan(3); orders.size() >= 3; orders = orders.subspan(3)) {
    const std::size_t at = orders[0] | std::size_t{orders[1]} << 8;
    if (at < changed.size()) {
      changed[at] = orders[2];
    } else if (orders[1] == 0xff) {
      changed.resize(changed.size() - std::min<std::size_t>(changed.size(), orders[2]));
    } else {
      changed.push_back(orders[2]);
    }
  }
  check_reading(changed);
  check_verdict(knowing, batch, place, changed);
  return 0;
}
