// The Crypto module's duty: signatures and their keys.
#ifndef MIRBFT_ENGINE_TASKS_CRYPTO_HPP
#define MIRBFT_ENGINE_TASKS_CRYPTO_HPP

#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::crypto.index(), Module, Protocol> {
  using emits = events<>;
  using updates = events<UpdateNodeKeys, ForgetNodeKeys, UpdateClientKeys>;
  template <class E>
  static constexpr bool handles =
      is_instance<SignRequest, E> || is_instance<VerifyNodeSigs, E> ||
      std::is_same_v<E, VerifyRequestSig> || is_listed<E, updates>;
  /// Signing and verifying run side by side; a change of keys and a module's own events do not.
  template <class E>
  static constexpr bool alone = !handles<E> || is_listed<E, updates>;

  explicit TaskOf(const NodeConfig& config) : cluster_(config.cluster) {}

  template <class Origin>
  void process(Module& crypto, SignRequest<Origin>&& request, auto& out) {
    Bytes signature = std::as_const(crypto).sign(request.epoch, request.message.view());
    out.emit(SignResult<Origin>{std::move(signature), std::move(request.origin)});
  }

  template <class Origin>
  void process(Module& crypto, VerifyNodeSigs<Origin>&& request, auto& out) {
    std::vector<SignatureCheck> verdicts;
    verdicts.reserve(request.signatures.size());
    for (const NodeSignature& made : request.signatures)
      verdicts.push_back(std::as_const(crypto).verify_node(
          made.node, request.epoch, made.message.view(), made.signature.view()));
    out.emit(NodeSigsVerified<Origin>{std::move(verdicts), std::move(request.origin)});
  }

  void process(Module& crypto, VerifyRequestSig&& request, auto& out) {
    const SignatureCheck verdict = verify(std::as_const(crypto), request);
    out.emit(RequestSigVerified{request.reference, verdict, client_keys_});
  }

  void process(Module& crypto, UpdateNodeKeys&& update, auto& /*out*/) {
    for (NodeKey& change : update.keys)
      crypto.update_node_key(change.node, update.from, std::move(change.key));
  }
  void process(Module& crypto, ForgetNodeKeys&& forget, auto& /*out*/) {
    crypto.forget_node_keys(forget.before);
  }
  void process(Module& crypto, UpdateClientKeys&& update, auto& /*out*/) {
    client_keys_ = update.epoch;
    for (ClientKey& change : update.keys)
      crypto.update_client_key(change.client, std::move(change.key));
  }

  void finish(Module&, auto& /*out*/) {}

 private:
  SignatureCheck verify(const Module& crypto, const VerifyRequestSig& request) const {
    const RequestRef& reference = request.reference;
    const ByteView authenticator = request.authenticator.view();
    if constexpr (requires { crypto.verify_request(cluster_.view(), reference, authenticator); }) {
      return crypto.verify_request(cluster_.view(), reference, authenticator);
    } else {
      Bytes message;
      if constexpr (!requires { Module::trusts_everyone; })  // nobody would read it
        message = wire::request_signature_bytes(cluster_.view(), reference);
      return crypto.verify_client(reference.client, message.view(), authenticator);
    }
  }

  Bytes cluster_;
  /// The epoch of which the clients' keys are.
  Epoch client_keys_;
};

}  // namespace mirbft::engine

#endif
