// Replicas that lie about the state: checkpoints, chunks, requests, and answers to clients.
#ifndef MIRBFT_SIM_ADVERSARY_STATE_HPP
#define MIRBFT_SIM_ADVERSARY_STATE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/behaviour.hpp>
#include <mirbft/sim/adversary/spoiled.hpp>

namespace mirbft::sim::byzantine {

/// Signs checkpoints of other states, and shows certificates for checkpoints that never were, with
/// its own signature and those that others have made under true ones.
class FakeCheckpoints : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    auto* vote = as<CheckpointVote>(letter.message);
    if (vote && powers().coin(vote->header.epoch.value, letter.to.value)) {
      count();
      out.push_back({letter.to, certificate(vote->header)});
      vote->header.app_state = powers().made_up_digest();
      powers().sign(*vote);
    }
    out.push_back(std::move(letter));
  }
  void hear(NodeId from, const Message& message, Letters&) override {
    if (const auto* vote = as<CheckpointVote>(message)) signatures_[from] = vote->signature;
  }

 private:
  StableCheckpoint certificate(CheckpointHeader header) {
    const std::uint64_t later = random().below(8);
    header.epoch = Epoch(header.epoch.value + later);
    header.last = header.last + later * 16;
    header.app_state = powers().made_up_digest();
    StableCheckpoint made{header, {}};
    for (const NodeId node : powers().cluster().members())
      if (made.certificate.size() < powers().cluster().quorum().strong())
        made.certificate.push_back({node, signature_of(node, header)});
    return made;
  }
  Bytes signature_of(NodeId node, const CheckpointHeader& header) {
    if (node != self()) return signatures_[node];
    CheckpointVote own{header, {}};
    powers().sign(own);
    return own.signature;
  }

  std::map<NodeId, Bytes> signatures_;
};

/// Whoever asks it for a state, or for batches, gets something else, or nothing.
class CorruptState : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    if (spoil(as<ChunkSupplied>(letter.message)) || spoil(as<StateHead>(letter.message)) ||
        spoil(as<BatchSupplied>(letter.message)) || spoil(as<StableCheckpoint>(letter.message))) {
      count();
      if (random().chance(300)) return;
    }
    out.push_back(std::move(letter));
  }

 private:
  bool spoil(ChunkSupplied* chunk) {
    if (chunk) chunk->data = spoiled(chunk->data, random());
    return chunk;
  }
  bool spoil(StateHead* head) {
    if (!head) return false;
    std::vector<Digest>& digests =
        random().chance(500) ? head->app.digests : head->clients.digests;
    switch (random().below(4)) {
      case 0: head->policy = spoiled(head->policy, random()); break;
      case 1: head->pace = spoiled(head->pace, random()); break;
      case 2: digests.push_back(powers().made_up_digest()); break;
      default:
        if (!digests.empty()) random().pick(digests) = powers().made_up_digest();
    }
    return true;
  }
  bool spoil(BatchSupplied* supplied) {
    if (!supplied) return false;
    std::vector<RequestRef> batch = *supplied->batch;
    batch.push_back({ClientId(random().below(4)), ReqNo(random().below(100)),
                     powers().made_up_digest()});
    supplied->batch = Batch(std::move(batch));
    return true;
  }
  bool spoil(StableCheckpoint* proof) {
    if (proof) proof->header.app_state = powers().made_up_digest();
    return proof;
  }
};

/// Passes on clients' requests that their clients have never made.
class ForgedRelays : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void send(Letter letter, Letters& out) override {
    spoil(as<Relayed>(letter.message));
    spoil(as<RequestsSupplied>(letter.message));
    out.push_back(std::move(letter));
  }
  void hear(NodeId, const Message& message, Letters& out) override {
    const auto* relayed = as<Relayed>(message);
    if (!relayed) return;
    Relayed forged = *relayed;
    spoil(&forged);
    out.push_back({random().pick(others()), std::move(forged)});
  }

 private:
  void spoil(auto* message) {
    if (!message || message->requests.empty()) return;
    count();
    Request& request = random().pick(message->requests);
    request.data = spoiled(request.data, random());
    if (random().chance(300)) request.req_no = request.req_no + random().below(100);
    if (random().chance(300)) request.authenticator = spoiled(request.authenticator, random());
  }
};

/// Answers clients with results that are none.
class FalseReplies : public Behaviour {
 public:
  using Behaviour::Behaviour;

  void reply(Replied& reply) override {
    count();
    reply.outcome = Outcome::delivered;
    reply.result = spoiled(reply.result, random());
  }
};

/// Crashes now and then, and comes back without the end of its log.
class Amnesia : public Behaviour {
 public:
  using Behaviour::Behaviour;

  bool crashes() override { return random().below(2000) == 0; }
  std::size_t remembers(std::size_t records) override {
    const std::size_t left = random().chance(300) ? 0 : random().between<std::size_t>(0, records);
    if (left != records) count();
    return left;
  }
};

}  // namespace mirbft::sim::byzantine

#endif
