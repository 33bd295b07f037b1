// What a part of Iss is given in place of the whole, and the modules that answer it.
#ifndef MIRBFT_TESTS_SUPPORT_ISS_ENV_HPP
#define MIRBFT_TESTS_SUPPORT_ISS_ENV_HPP

#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/cluster.hpp>

#include "iss_values.hpp"
#include "recorder.hpp"

namespace mirbft::testing {

/// A message of type `M` to other replicas.
template <class M>
struct Sent {
  std::vector<NodeId> to;
  M message;
};
/// One to the replica itself.
template <class M>
struct ToSelf {
  M message;
};

/// The environment of a part at the replica `config.self`; the test reads what it records.
class IssEnv {
 public:
  explicit IssEnv(IssConfig of)
      : config(std::move(of)), cluster_(config, Quorum(config.members.size())) {}

  const iss::Cluster& cluster() const noexcept { return cluster_; }
  template <class E>
  auto emit(E event) {
    return out.emit(std::move(event));
  }
  template <class M>
  Sent<M> to(NodeId whom, M message) {
    return {{whom}, std::move(message)};
  }
  template <class M>
  Sent<M> to_others(M message) {
    return {cluster_.others(), std::move(message)};
  }
  template <class M>
  ToSelf<M> to_self(M message) {
    return {std::move(message)};
  }
  std::chrono::nanoseconds now() const noexcept { return time; }
  std::chrono::nanoseconds timeout() const noexcept { return std::chrono::seconds(1); }
  void bad(iss::BadMessage reason) { bad_messages.count(reason); }
  void halt(std::string reason) { halts.push_back(std::move(reason)); }

  iss::Member member(std::size_t index) const {
    return {cluster_.members()[index], index};
  }

  /// Takes out all messages of type `M` to others.
  template <class M>
  std::vector<Sent<M>> take_all() {
    std::vector<Sent<M>> all;
    while (out.count<Sent<M>>() != 0) all.push_back(out.take<Sent<M>>());
    return all;
  }

  /// A node's signature in an epoch: it ends with its key, as far as that has changed.
  Bytes signed_by(NodeId node, Epoch epoch, const Bytes& message) const {
    std::string signature(signature_of(node, message).text());
    const auto changes = keys.find(node);
    if (changes != keys.end())
      if (const auto later = changes->second.upper_bound(epoch); later != changes->second.begin())
        signature += std::prev(later)->second.text();
    return Bytes(signature);
  }

  // Answers of the modules, one kind at a time. Each says whether there was any.

  /// Changes of nodes' keys, which come before what is signed and verified by them.
  bool update_keys() {
    return each<UpdateNodeKeys>([&](const UpdateNodeKeys& update) {
      for (const NodeKey& one : update.keys) keys[one.node][update.from] = *one.key;
    });
  }

  template <class Origin>
  bool hash(auto& part) {
    return each<HashRequest<Origin>>([&](HashRequest<Origin> asked) {
      const Digest digest = digest_of_parts(asked.parts);
      part.process(HashResult<Origin>{digest, std::move(asked.origin)}, *this);
    });
  }
  template <class Origin>
  bool sign(auto& part) {
    return each<SignRequest<Origin>>([&](SignRequest<Origin> asked) {
      update_keys();
      part.process(SignResult<Origin>{signed_by(config.self, asked.epoch, asked.message),
                                      std::move(asked.origin)},
                   *this);
    });
  }
  template <class Origin>
  bool verify(auto& part) {
    return each<VerifyNodeSigs<Origin>>([&](VerifyNodeSigs<Origin> asked) {
      update_keys();
      NodeSigsVerified<Origin> verified{{}, std::move(asked.origin)};
      for (const NodeSignature& one : asked.signatures)
        verified.verdicts.push_back(one.signature == signed_by(one.node, asked.epoch, one.message)
                                        ? SignatureCheck::valid
                                        : SignatureCheck::invalid);
      part.process(std::move(verified), *this);
    });
  }
  template <class E, class Answer>
  bool each(Answer&& answer) {
    bool any = false;
    for (; out.count<E>() != 0; any = true) answer(out.take<E>());
    return any;
  }

  IssConfig config;
  Recorder out;
  std::chrono::nanoseconds time{};
  iss::BadMessages bad_messages;
  std::vector<std::string> halts;
  std::map<NodeId, std::map<Epoch, Bytes>> keys;

 private:
  iss::Cluster cluster_;
};

}  // namespace mirbft::testing

#endif
