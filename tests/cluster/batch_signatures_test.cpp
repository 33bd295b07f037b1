// A Node that orders what clients sign in batches, and only that.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/client/batch_signer.hpp>
#include <mirbft/modules/crypto/batch.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "../support/small_node.hpp"

namespace mirbft::batch_signatures_test {
namespace {

using namespace std::chrono_literals;

using Verifier = BatchVerifier<SodiumCrypto, Sha256>;

/// Solo, in whose cluster client 1 has another key once client 3 has submitted something.
struct RekeyingSolo : Solo {
  using emits = events<WalAppend<SoloDecided>, Deliver, UpdateClientKeys>;

  Bytes new_key;

  using Solo::process;
  void process(RequestReady ready, auto& out) {
    if (ready.reference.client == ClientId(3))
      out.emit(UpdateClientKeys{Epoch(1), {{ClientId(1), new_key}}});
    Solo::process(std::move(ready), out);
  }
};

using Replica = Node<LoopbackNet, Sha256, on_pool<Verifier, 2>, testing::EchoApp, MemoryWal,
                     ClientTracker, MemoryStore, RekeyingSolo, NullInterceptor>;

Bytes seed_of(std::uint64_t owner) {
  return Bytes(std::string(Ed25519Key::seed_size, static_cast<char>(owner)));
}
Ed25519Key key_of(std::uint64_t owner) { return Ed25519Key(seed_of(owner).view()); }

Verifier verifier() {
  std::map<ClientId, Bytes> clients;
  for (std::uint64_t id = 1; id <= 3; ++id) clients[ClientId(id)] = key_of(id).public_key();
  return Verifier(SodiumCrypto(seed_of(0).view(), {}, clients));
}

RequestRef reference_of(const Request& request) {
  Sha256 hasher;
  for (const Bytes& part : wire::request_parts(NodeConfig{}.cluster.view(), request.client,
                                               request.req_no, request.data))
    hasher.update(part.view());
  return {request.client, request.req_no, hasher.finish()};
}

/// Requests of a client with these numbers, which `owner` signs as one batch.
std::vector<Request> batch(std::uint64_t client, std::uint64_t from, std::size_t count,
                           std::uint64_t owner) {
  std::vector<Request> requests;
  std::vector<RequestRef> references;
  for (std::size_t i = 0; i < count; ++i) {
    requests.push_back(testing::request_of(client, from + i));
    references.push_back(reference_of(requests.back()));
  }
  BatchSigner<Ed25519Key, Sha256> signer(key_of(owner), NodeConfig{}.cluster);
  const std::vector<Bytes> authenticators = signer.sign(references);
  for (std::size_t i = 0; i < count; ++i) requests[i].authenticator = authenticators[i];
  return requests;
}

struct Fixture {
  LoopbackHub hub{{NodeId(0)}};
  Replica node{{},
               {.net = LoopbackNet(hub, NodeId(0)),
                .hasher = {},
                .crypto = verifier(),
                .app = {},
                .wal = {},
                .tracker = ClientTracker({.cluster = NodeConfig{}.cluster}),
                .store = {},
                .protocol = {{}, key_of(9).public_key()}}};
  std::jthread thread{[this](std::stop_token stop) { node.run(stop); }};

  void stop() {
    thread.request_stop();
    thread.join();
    CHECK(node.failure() == "");
  }
  std::vector<Outcome> submit(const std::vector<Request>& requests) {
    std::vector<std::future<Replied>> replies;
    for (const Request& request : requests) replies.push_back(node.submit(request));
    std::vector<Outcome> outcomes;
    for (std::future<Replied>& reply : replies) {
      REQUIRE(reply.wait_for(60s) == std::future_status::ready);
      outcomes.push_back(reply.get().outcome);
    }
    return outcomes;
  }
};

std::vector<Outcome> all(std::size_t count, Outcome outcome) {
  return std::vector<Outcome>(count, outcome);
}

}  // namespace

TEST_SUITE("threads") {
  TEST_CASE_FIXTURE(Fixture, "a Node delivers batches, and what it stores of each is a proof") {
    CHECK(submit(batch(1, 0, 200, 1)) == all(200, Outcome::delivered));
    CHECK(submit(batch(2, 0, 3, 2)) == all(3, Outcome::delivered));
    CHECK(submit(batch(1, 200, 1, 1)) == all(1, Outcome::delivered));
    stop();
    const auto status = node.status().crypto;
    CHECK(status.roots == 2);
    CHECK(status.roots_verified + status.roots_known == 203);
    CHECK(status.roots_verified <= 4);  // once by each thread at most

    REQUIRE(node.app().applied.size() == 204);
    for (const Request& request : node.app().applied)
      CHECK(verifier().verify_request(NodeConfig{}.cluster.view(), reference_of(request),
                                      request.authenticator.view()) == SignatureCheck::valid);
  }

  TEST_CASE_FIXTURE(Fixture, "a Node refuses what was tampered with, and takes the right one") {
    const std::vector<Request> right = batch(1, 0, 8, 1);
    CHECK(submit({right[7]}) == all(1, Outcome::delivered));

    std::vector<Request> wrong(right.begin(), right.end() - 1);
    wrong[0].data = Bytes("another body");
    wrong[1].authenticator = right[2].authenticator;
    wrong[2].authenticator = batch(1, 0, 8, 2)[2].authenticator;
    wrong[3].authenticator = right[3].authenticator.slice(0, right[3].authenticator.size() - 32);
    wrong[4].authenticator = Bytes(std::string(4096, '\1'));
    wrong[5].authenticator = {};
    wrong[6].client = ClientId(2);
    CHECK(submit(wrong) == all(7, Outcome::rejected_signature));

    CHECK(submit(right) == all(8, Outcome::delivered));
    stop();
    CHECK(node.app().applied.size() == 8);
  }

  TEST_CASE_FIXTURE(Fixture, "a batch of the old key is refused after the change, though known") {
    const std::vector<Request> old = batch(1, 0, 4, 1);
    CHECK(submit({old[0], old[1]}) == all(2, Outcome::delivered));
    CHECK(submit(batch(3, 0, 1, 3)) == all(1, Outcome::delivered));
    CHECK(submit({old[2], old[3]}) == all(2, Outcome::rejected_signature));
    CHECK(submit(batch(1, 2, 2, 9)) == all(2, Outcome::delivered));
    stop();
  }
}

}  // namespace mirbft::batch_signatures_test
