#include <mirbft/engine/tasks/crypto.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/events/node.hpp>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

namespace mirbft::crypto_test {

using namespace mirbft::testing;

namespace {

/// Whose signature is the message itself, made by somebody whose key it knows.
struct MirrorCrypto {
  std::map<std::uint64_t, Bytes> nodes, clients;
  mutable std::vector<std::uint64_t> epochs;

  Bytes sign(Epoch epoch, ByteView message) const {
    epochs.push_back(epoch.value);
    return Bytes(message);
  }
  SignatureCheck verify_node(NodeId node, Epoch epoch, ByteView message,
                             ByteView signature) const {
    epochs.push_back(epoch.value);
    return verify(nodes, node.value, message, signature);
  }
  SignatureCheck verify_client(ClientId client, ByteView message, ByteView signature) const {
    return verify(clients, client.value, message, signature);
  }
  void update_node_key(NodeId node, Epoch from, const std::optional<Bytes>& key) {
    epochs.push_back(from.value);
    update(nodes, node.value, key);
  }
  void forget_node_keys(Epoch before) { epochs.push_back(before.value); }
  void update_client_key(ClientId client, const std::optional<Bytes>& key) {
    update(clients, client.value, key);
  }

 private:
  using Keys = std::map<std::uint64_t, Bytes>;
  static SignatureCheck verify(const Keys& keys, std::uint64_t who, ByteView message,
                               ByteView signature) {
    if (!keys.contains(who)) return SignatureCheck::unknown_signer;
    return Bytes(message) == Bytes(signature) ? SignatureCheck::valid : SignatureCheck::invalid;
  }
  static void update(Keys& keys, std::uint64_t who, const std::optional<Bytes>& key) {
    if (key) {
      keys[who] = *key;
    } else {
      keys.erase(who);
    }
  }
};
struct Asked {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 1000;

  std::uint64_t value = 0;
};
static_assert(SignRequest<Asked>::number != SignResult<Asked>::number);
using Task = engine::TaskOf<slot::crypto.index(), MirrorCrypto, StubProtocol>;

static_assert(!Task::alone<SignRequest<Asked>> && !Task::alone<VerifyNodeSigs<Asked>> &&
              !Task::alone<VerifyRequestSig>);
static_assert(Task::alone<UpdateNodeKeys> && Task::alone<UpdateClientKeys> &&
              Task::alone<ForgetNodeKeys> && Task::alone<Init>);

struct Fixture {
  MirrorCrypto crypto;
  Task task{NodeConfig{.self = {}, .cluster = Bytes("cluster")}};
  Recorder out;

  template <class E>
  void process(E event) {
    task.process(crypto, std::move(event), out);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a signature comes back to who asked for it") {
  process(SignRequest<Asked>{Epoch(0), Bytes("message"), Asked{3}});
  const auto result = out.take<SignResult<Asked>>();
  CHECK(result.signature.text() == "message");
  CHECK(result.origin.value == 3);
}

TEST_CASE_FIXTURE(Fixture, "each of several signatures gets its verdict, in their order") {
  process(UpdateNodeKeys{Epoch(0), {{NodeId(1), Bytes("key")}, {NodeId(2), Bytes("key")}}});
  process(UpdateNodeKeys{Epoch(1), {{NodeId(2), std::nullopt}}});
  process(VerifyNodeSigs<Asked>{Epoch(2),
                                {{NodeId(1), Bytes("m"), Bytes("m")},
                                 {NodeId(1), Bytes("m"), Bytes("x")},
                                 {NodeId(2), Bytes("m"), Bytes("m")}},
                                Asked{4}});
  const auto verified = out.take<NodeSigsVerified<Asked>>();
  CHECK(verified.origin.value == 4);
  CHECK(verified.verdicts == std::vector<SignatureCheck>{SignatureCheck::valid,
                                                         SignatureCheck::invalid,
                                                         SignatureCheck::unknown_signer});
}

TEST_CASE_FIXTURE(Fixture, "the epoch of what is signed comes with it") {
  process(SignRequest<Asked>{Epoch(5), Bytes("message"), Asked{3}});
  process(UpdateNodeKeys{Epoch(6), {{NodeId(1), Bytes("key")}}});
  process(VerifyNodeSigs<Asked>{Epoch(7), {{NodeId(1), Bytes("m"), Bytes("m")}}, Asked{4}});
  process(ForgetNodeKeys{Epoch(8)});
  CHECK(crypto.epochs == std::vector<std::uint64_t>{5, 6, 7, 8});
}

TEST_CASE_FIXTURE(Fixture, "a verdict says of which epoch the clients' keys are") {
  const RequestRef reference{ClientId(7), ReqNo(8), {}};
  process(VerifyRequestSig{reference, {}});
  CHECK(out.take<RequestSigVerified>().keys == Epoch(0));
  process(UpdateClientKeys{Epoch(4), {}});
  process(VerifyRequestSig{reference, {}});
  CHECK(out.take<RequestSigVerified>().keys == Epoch(4));
}

TEST_CASE_FIXTURE(Fixture, "a client signs its reference, in the name of this cluster") {
  const RequestRef reference{ClientId(7), ReqNo(8), {}};
  const Bytes right = wire::request_signature_bytes(bytes_of("cluster"), reference);
  const Bytes elsewhere = wire::request_signature_bytes(bytes_of("another"), reference);
  process(VerifyRequestSig{reference, right});
  CHECK(out.take<RequestSigVerified>().verdict == SignatureCheck::unknown_signer);
  process(UpdateClientKeys{Epoch(2), {{ClientId(7), Bytes("key")}}});
  process(VerifyRequestSig{reference, right});
  const RequestSigVerified verified = out.take<RequestSigVerified>();
  CHECK(verified.verdict == SignatureCheck::valid);
  CHECK(verified.reference == reference);
  process(VerifyRequestSig{reference, elsewhere});
  CHECK(out.take<RequestSigVerified>().verdict == SignatureCheck::invalid);
}

TEST_CASE("a module that knows other authenticators is asked about them as they are") {
  struct FormsCrypto : MirrorCrypto {
    SignatureCheck verify_request(ByteView cluster, const RequestRef& reference,
                                  ByteView authenticator) const {
      const bool right = Bytes(cluster) == Bytes("cluster") && reference.client == ClientId(7) &&
                         Bytes(authenticator) == Bytes("proof");
      return right ? SignatureCheck::valid : SignatureCheck::malformed;
    }
  };
  FormsCrypto crypto;
  engine::TaskOf<slot::crypto.index(), FormsCrypto, StubProtocol> task(
      NodeConfig{.self = {}, .cluster = Bytes("cluster")});
  Recorder out;
  task.process(crypto, VerifyRequestSig{{ClientId(7), ReqNo(8), {}}, Bytes("proof")}, out);
  CHECK(out.take<RequestSigVerified>().verdict == SignatureCheck::valid);
  task.process(crypto, VerifyRequestSig{{ClientId(8), ReqNo(8), {}}, Bytes("proof")}, out);
  CHECK(out.take<RequestSigVerified>().verdict == SignatureCheck::malformed);
}

}  // namespace mirbft::crypto_test
