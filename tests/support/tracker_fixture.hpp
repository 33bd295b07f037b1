// A Tracker with a hasher and a verifier that a test answers for.
#ifndef MIRBFT_TESTS_SUPPORT_TRACKER_FIXTURE_HPP
#define MIRBFT_TESTS_SUPPORT_TRACKER_FIXTURE_HPP

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/modules/tracker/client_tracker.hpp>

#include "recorder.hpp"

namespace mirbft::testing {

inline TrackerConfig small_config() {
  TrackerConfig config;
  config.cluster = Bytes("test");
  config.window = 100;
  return config;
}

/// A digest that differs for the bodies of a test.
inline Digest digest_of(const Bytes& body) {
  Digest digest;
  for (std::size_t i = 0; i < body.size(); ++i)
    digest.bytes[i % Digest::size] =
        static_cast<std::uint8_t>(digest.bytes[i % Digest::size] * 31 + body[i] + 1);
  return digest;
}

/// Drives a ClientTracker by hand. Signatures are valid when they read "good".
struct TrackerFixture {
  explicit TrackerFixture(TrackerConfig config = small_config()) : tracker(std::move(config)) {}

  void submit(std::uint64_t client, std::uint64_t req_no, const std::string& body,
              const std::string& authenticator = "good", Spread spread = Spread::by_client) {
    tracker.process(NewRequest{{ClientId(client), ReqNo(req_no), Bytes(body),
                                Bytes(authenticator)},
                               spread},
                    out);
  }
  void fetched(std::uint64_t client, std::uint64_t req_no, const std::string& body,
               const std::string& authenticator = "good") {
    submit(client, req_no, body, authenticator, Spread::fetched);
  }

  /// Answers the oldest question of its kind.
  void hash() {
    const auto asked = out.take<HashRequest<RequestHash>>();
    tracker.process(HashResult<RequestHash>{digest_of(asked.parts.back()), asked.origin}, out);
  }
  void verify() {
    const auto asked = out.take<VerifyRequestSig>();
    const bool good = asked.authenticator == Bytes("good");
    tracker.process(
        RequestSigVerified{asked.reference,
                           good ? SignatureCheck::valid : SignatureCheck::invalid, keys},
        out);
  }
  /// Answers all questions, oldest first.
  void work() {
    while (out.count<HashRequest<RequestHash>>() + out.count<VerifyRequestSig>() > 0) {
      while (out.count<HashRequest<RequestHash>>() > 0) hash();
      while (out.count<VerifyRequestSig>() > 0) verify();
    }
  }
  /// Bodies of the requests that go to the store, oldest first, and that become ready.
  std::vector<std::string> stored() {
    std::vector<std::string> bodies;
    while (out.count<StoreVerifiedRequest>() > 0) {
      const auto store = out.take<StoreVerifiedRequest>();
      const auto ready = out.take<RequestReady>();
      CHECK(ready.reference == store.reference);
      CHECK(ready.size == store.data.size());
      CHECK(store.reference.digest == digest_of(store.data));
      bodies.emplace_back(store.data.text());
    }
    return bodies;
  }

  void apply(std::uint64_t sn, std::uint64_t client, std::uint64_t req_no,
             const std::string& result) {
    tracker.process(Applied{SeqNr(sn), {{ClientId(client), ReqNo(req_no), Bytes(result)}}}, out);
  }
  void move(std::uint64_t client, std::uint64_t low, Bytes delivered = {},
            Reached reached = Reached::by_applying) {
    tracker.process(
        WindowsMoved{
            Epoch(0), {{ClientId(client), ReqNo(low), std::move(delivered)}}, {}, reached},
        out);
  }

  /// An epoch begins in which this client has a new key.
  void rekey(std::uint64_t client, std::uint64_t epoch) {
    tracker.process(WindowsMoved{Epoch(epoch), {}, {ClientId(client)}}, out);
  }

  Outcome outcome() { return out.take<Replied>().outcome; }
  TrackerStatus status() const { return tracker.status(); }

  ClientTracker tracker;
  Recorder out;
  /// The epoch by whose keys signatures are verified.
  Epoch keys;
};

}  // namespace mirbft::testing

#endif
