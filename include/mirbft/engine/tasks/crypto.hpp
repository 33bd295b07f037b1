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
  template <class E>
  static constexpr bool handles =
      is_instance<SignRequest, E> || is_instance<VerifyNodeSigs, E> ||
      std::is_same_v<E, VerifyRequestSig> || std::is_same_v<E, UpdateNodeKeys> ||
      std::is_same_v<E, UpdateClientKeys>;
  /// Signing and verifying run side by side; a change of keys and a module's own events do not.
  template <class E>
  static constexpr bool alone =
      !handles<E> || std::is_same_v<E, UpdateNodeKeys> || std::is_same_v<E, UpdateClientKeys>;

  explicit TaskOf(const NodeConfig& config) : cluster_(config.cluster) {}

  template <class Origin>
  void process(Module& crypto, SignRequest<Origin>&& request, auto& out) {
    Bytes signature = std::as_const(crypto).sign(request.message.view());
    out.emit(SignResult<Origin>{std::move(signature), std::move(request.origin)});
  }

  template <class Origin>
  void process(Module& crypto, VerifyNodeSigs<Origin>&& request, auto& out) {
    std::vector<SignatureCheck> verdicts;
    verdicts.reserve(request.signatures.size());
    for (const NodeSignature& made : request.signatures)
      verdicts.push_back(std::as_const(crypto).verify_node(made.node, made.message.view(),
                                                           made.signature.view()));
    out.emit(NodeSigsVerified<Origin>{std::move(verdicts), std::move(request.origin)});
  }

  void process(Module& crypto, VerifyRequestSig&& request, auto& out) {
    Bytes message;
    if constexpr (!requires { Module::trusts_everyone; })  // nobody would read it
      message = wire::request_signature_bytes(cluster_.view(), request.reference);
    const SignatureCheck verdict = std::as_const(crypto).verify_client(
        request.reference.client, message.view(), request.authenticator.view());
    out.emit(RequestSigVerified{request.reference, verdict});
  }

  void process(Module& crypto, UpdateNodeKeys&& update, auto& /*out*/) {
    for (NodeKey& change : update.keys) crypto.update_node_key(change.node, std::move(change.key));
  }
  void process(Module& crypto, UpdateClientKeys&& update, auto& /*out*/) {
    for (ClientKey& change : update.keys)
      crypto.update_client_key(change.client, std::move(change.key));
  }

  void finish(Module&, auto& /*out*/) {}

 private:
  Bytes cluster_;
};

}  // namespace mirbft::engine

#endif
