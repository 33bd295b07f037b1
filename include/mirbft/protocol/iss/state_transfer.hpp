// State transfer: fetches the state of a stable checkpoint from the others, piece by piece.
#ifndef MIRBFT_PROTOCOL_ISS_STATE_TRANSFER_HPP
#define MIRBFT_PROTOCOL_ISS_STATE_TRANSFER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/events/hasher.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/chunk_table.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/iss/state_chunks.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/merkle_tree.hpp>

namespace mirbft::iss {

/// The last rung of the ladder (protocol, section 8). Nothing is believed but hashes that lead up
/// to a header that a quorum has signed, so any peer may supply any piece. Piece 0 is the head,
/// piece `i + 1` is chunk `i`.
class StateTransfer {
 public:
  using consumes = events<HashResult<TransferHash>, HashResult<TransferTreeHash>>;
  using emits = events<HashRequest<TransferHash>, HashRequest<TransferTreeHash>,
                       WalAppend<ChunkEntry>, WalAppend<InstalledEntry>, StateInstalled>;

  /// Pieces that are on their way at a time, from all peers together.
  static constexpr std::size_t pieces_at_once = 16;

  /// Whether a state is being fetched or waits to be taken.
  bool is_active() const noexcept { return target_.has_value(); }

  /// A verified checkpoint that only a transfer leads to. A transfer that is under way goes on,
  /// unless the peers have collected its checkpoint by now.
  void begin(const StableCheckpoint& proof, auto& env) {
    const Epoch epoch = proof.header.epoch;
    if (done_ || (target_ && epoch < target_->header.epoch + epochs_kept)) return;
    target_ = proof;
    faults_.resize(env.cluster().members().size());
    asked_.clear();
    unasked_.assign(1, head_piece);
    incoming_.reset();
    ask(env);
  }
  /// Asks other peers for what has not come, and gives up if this replica has got as far by itself.
  /// Call it at every `Tick`.
  void tick(std::uint64_t reached_epochs, auto& env) {
    if (!target_ || done_) return;
    if (target_->header.epoch.value < reached_epochs) return reset();
    std::vector<std::uint64_t> overdue;
    for (const auto& [piece, question] : asked_)
      if (!question.answered && env.now() - question.at >= env.timeout()) overdue.push_back(piece);
    for (const std::uint64_t piece : overdue) fail(piece);
    ask(env);
  }

  void receive(Member from, StateHead head, auto& env) {
    Question* question = question_of(from, head.epoch, head_piece);
    if (!question) return env.bad(BadMessage::unasked);
    if (!is_whole(head.clients) || head.app.length != target_->header.app_length)
      return refuse(head_piece, env);
    question->answered = true;
    incoming_ = std::move(head);
    unchecked_ = 3;
    check_head(*question, env);
  }

  void receive(Member from, ChunkSupplied supplied, auto& env) {
    if (!head_ || supplied.index >= chunks_.size()) return env.bad(BadMessage::unasked);
    const std::uint64_t piece = supplied.index + 1;
    Question* question = question_of(from, supplied.epoch, piece);
    if (!question) return env.bad(BadMessage::unasked);
    if (!fits(supplied)) return refuse(piece, env);
    question->answered = true;
    question->chunk = supplied.data;
    env.emit(HashRequest<TransferHash>{
        chunk_content(env.cluster().name().view(), std::move(supplied.data)),
        {piece, CheckpointPart::app_state, question->number}});
  }

  void process(HashResult<TransferHash> hashed, auto& env) {
    const TransferHash& origin = hashed.origin;
    const auto question = asked_.find(origin.piece);
    if (question == asked_.end() || question->second.number != origin.question) return;
    if (hashed.digest != expected(origin)) return refuse(origin.piece, env);
    if (origin.piece == head_piece) {
      if (--unchecked_ != 0) return;
      accept_head();
    } else {
      chunks_[origin.piece - 1] = std::move(question->second.chunk);
      --missing_;
    }
    asked_.erase(question);
    ask(env);
    if (missing_ == 0) finish(env);
  }

  void process(HashResult<TransferTreeHash> hashed, auto& env) {
    const auto& [number, level, index] = hashed.origin;
    const auto question = asked_.find(head_piece);
    if (question == asked_.end() || question->second.number != number) return;
    if (tree_.hashed(level, index, hashed.digest)) check_app(question->second, env);
  }

  /// What was fetched, once `StateInstalled` says that it is durable.
  FetchedState take() {
    FetchedState fetched = std::move(*done_);
    done_.reset();
    reset();
    return fetched;
  }

 private:
  static constexpr std::uint64_t head_piece = 0;

  struct Question {
    Member whom;
    std::chrono::nanoseconds at{};
    std::uint64_t number = 0;
    /// The answer is here, and is being hashed.
    bool answered = false;
    Bytes chunk;
  };

  // Questions.

  void ask(auto& env) {
    if (!target_ || done_) return;
    const Epoch epoch = target_->header.epoch;
    while (!unasked_.empty() && asked_.size() < pieces_at_once) {
      const std::uint64_t piece = unasked_.front();
      unasked_.pop_front();
      const Member whom = next_peer(env.cluster());
      asked_[piece] = {whom, env.now(), ++questions_, false, {}};
      if (piece == head_piece) {
        env.emit(env.to(whom.id, StateWanted{epoch}));
      } else {
        env.emit(env.to(whom.id, ChunkWanted{epoch, piece - 1}));
      }
    }
  }
  /// The next one in turn of those that have failed least often.
  Member next_peer(const Cluster& cluster) {
    const std::vector<NodeId>& others = cluster.others();
    std::optional<Member> best;
    for (std::size_t i = 0; i < others.size(); ++i) {
      const Member peer = *cluster.find(others[(turn_ + i) % others.size()]);
      if (!best || faults_[peer.index] < faults_[best->index]) best = peer;
    }
    turn_ = (turn_ + 1) % others.size();
    return *best;
  }
  Question* question_of(Member from, Epoch epoch, std::uint64_t piece) {
    const auto found = asked_.find(piece);
    const bool asked = target_ && target_->header.epoch == epoch && found != asked_.end() &&
                       found->second.whom.id == from.id && !found->second.answered;
    return asked ? &found->second : nullptr;
  }

  /// The peer that was asked for a piece has not supplied it: it is another's turn.
  void fail(std::uint64_t piece) {
    const auto question = asked_.find(piece);
    ++faults_[question->second.whom.index];
    asked_.erase(question);
    unasked_.push_front(piece);
  }
  void refuse(std::uint64_t piece, auto& env) {
    env.bad(BadMessage::state);
    fail(piece);
    ask(env);
  }

  // The head.

  static bool is_whole(const ChunkList& list) {
    return list.digests.size() == chunks_of(list.length);
  }
  void check_head(const Question& question, auto& env) {
    const ByteView cluster = env.cluster().name().view();
    const auto check = [&](CheckpointPart part, Bytes content) {
      env.emit(HashRequest<TransferHash>{{std::move(content)},
                                         {head_piece, part, question.number}});
    };
    check(CheckpointPart::clients, clients_content(cluster, incoming_->clients));
    check(CheckpointPart::policy, policy_content(cluster, incoming_->policy, incoming_->pace));
    tree_ = {};
    tree_.resize(incoming_->app.digests.size());
    for (std::uint64_t index = 0; index < tree_.size(); ++index)
      tree_.set(index, incoming_->app.digests[index]);
    check_app(question, env);
  }
  /// The digests of the App's chunks: level by level up to the root.
  void check_app(const Question& question, auto& env) {
    const ByteView cluster = env.cluster().name().view();
    const std::vector<MerkleInner> due = tree_.rise();
    for (const MerkleInner& inner : due)
      env.emit(HashRequest<TransferTreeHash>{{inner_content(cluster, inner)},
                                             {question.number, inner.level, inner.index}});
    if (due.empty())
      env.emit(HashRequest<TransferHash>{
          {app_content(cluster, tree_)},
          {head_piece, CheckpointPart::app_state, question.number}});
  }
  /// Chunks of an earlier transfer that have not changed since are not fetched again, so that a
  /// large state comes in though checkpoints move on meanwhile.
  void accept_head() {
    std::map<Digest, Bytes> known;
    for (std::uint64_t index = 0; index < chunks_.size(); ++index)
      if (chunks_[index]) known[digest_of(*head_, index)] = std::move(*chunks_[index]);
    head_ = std::move(incoming_);
    incoming_.reset();
    chunks_.assign(head_->clients.digests.size() + head_->app.digests.size(), {});
    missing_ = 0;
    for (std::uint64_t index = 0; index < chunks_.size(); ++index) {
      const auto same = known.find(digest_of(*head_, index));
      if (same != known.end()) {
        chunks_[index] = same->second;
      } else {
        unasked_.push_back(index + 1);
        ++missing_;
      }
    }
  }

  // Chunks.

  static const Digest& digest_of(const StateHead& head, std::uint64_t index) {
    const std::uint64_t clients = head.clients.digests.size();
    return index < clients ? head.clients.digests[index] : head.app.digests[index - clients];
  }
  bool fits(const ChunkSupplied& supplied) const {
    const ChunkList& clients = head_->clients;
    const std::size_t size = supplied.data.size();
    return supplied.index < clients.digests.size()
               ? size == chunk_length(clients.length, supplied.index)
               : size <= max_chunk_size;
  }
  const Digest& expected(const TransferHash& origin) const {
    if (origin.piece != head_piece) return digest_of(*head_, origin.piece - 1);
    switch (origin.part) {
      case CheckpointPart::clients: return target_->header.clients;
      case CheckpointPart::policy: return target_->header.policy;
      default: return target_->header.app_state;
    }
  }
  ChunkedBytes clients() const {
    const ChunkList& list = head_->clients;
    return {Bytes::filled(list.length,
                          [&](std::uint8_t* at) {
                            for (std::uint64_t i = 0; i < list.digests.size(); ++i)
                              at = std::copy(chunks_[i]->begin(), chunks_[i]->end(), at);
                          }),
            list.digests};
  }
  void finish(auto& env) {
    const Epoch epoch = target_->header.epoch;
    const ChunkList& app = head_->app;
    const std::uint64_t first = head_->clients.digests.size();
    done_ = FetchedState{{target_->header,
                          target_->certificate,
                          {clients(), head_->policy, head_->pace, app.digests.size()}},
                         {}};
    for (std::uint64_t index = 0; index < app.digests.size(); ++index) {
      done_->chunks.push_back(ChunkTable::changed(epoch, index, app.digests[index],
                                                  std::move(*chunks_[first + index])));
      env.emit(written_ahead(done_->chunks.back()));
    }
    chunks_.clear();
    env.emit(WalAppend<InstalledEntry>{done_->entry, RetentionIndex(epoch.value)})
        .then(StateInstalled{epoch});
  }
  void reset() {
    target_.reset();
    incoming_.reset();
    head_.reset();
    chunks_.clear();
    asked_.clear();
    unasked_.clear();
  }

  std::optional<StableCheckpoint> target_;
  /// A head that is being checked, and how many of its parts are not yet.
  std::optional<StateHead> incoming_;
  std::uint32_t unchecked_ = 0;
  MerkleTree tree_;
  /// The head of `chunks_`, and those that are here.
  std::optional<StateHead> head_;
  std::vector<std::optional<Bytes>> chunks_;
  std::uint64_t missing_ = 0;
  std::optional<FetchedState> done_;

  std::deque<std::uint64_t> unasked_;
  std::map<std::uint64_t, Question> asked_;
  std::uint64_t questions_ = 0;
  /// By member: how many pieces it was asked for and did not supply.
  std::vector<std::uint64_t> faults_;
  std::size_t turn_ = 0;
};

}  // namespace mirbft::iss

#endif
