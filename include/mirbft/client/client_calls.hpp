// What a client has asked for: numbers, signatures, whom to ask, what to believe, and when to stop.
#ifndef MIRBFT_CLIENT_CLIENT_CALLS_HPP
#define MIRBFT_CLIENT_CLIENT_CALLS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include <mirbft/client/client_config.hpp>
#include <mirbft/client/client_frames.hpp>
#include <mirbft/client/client_recovery.hpp>
#include <mirbft/client/reply_quorum.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_position.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

/// One request that somebody waits for.
struct ClientCall {
  using Time = std::chrono::steady_clock::time_point;

  Bytes data;
  std::function<void(const ClientReply&)> on_end;
  Time deadline = Time::max();
};

/// The thinking part of a `Client`, without threads and sockets. Time is handed in.
///
/// First it learns from the replicas where the client stands (`ClientRecovery`). Then each request
/// gets a number and a signature, is given to some or all replicas, and again to those that refuse
/// it or lose their connection, always under the same number, until w of them give the same result
/// at the same place in the order, or refuse it for the same reason; or its deadline comes.
///
/// A number that is given up is closed by an empty request, since a gap would hold up the client's
/// window for good; so are the numbers that a former life of the client may have left open. Since
/// a number that only a few replicas know might be taken twice, and the answer to the one request
/// for the other, a new life leaves out as many numbers as may have been open.
///
/// `Signer` has `std::vector<Bytes> sign(std::span<const RequestRef>)`: the authenticators of
/// requests that are signed at one time. One thread at a time.
template <class Signer, class Hasher>
class ClientCalls {
 public:
  using Time = ClientCall::Time;

  /// The configuration is checked, and outlives this.
  ClientCalls(const ClientConfig& config, Signer signer)
      : config_(config),
        quorum_(config.replicas.size()),
        signer_(std::move(signer)),
        answers_(config.id, ids(config)),
        recovery_(config.id, ids(config)),
        replicas_(config.replicas.size()) {}

  void add(ClientCall call) { waiting_.push_back(std::move(call)); }

  /// A replica, by its place in the configuration, can be talked to.
  void connected(std::size_t replica) { replicas_[replica].connected = true; }
  /// Its connection is gone: what it was asked over that is not answered any more.
  void lost(std::size_t replica, Time now) {
    replicas_[replica] = {};
    for (auto& [number, open] : open_)
      if (std::exchange(open.asked[replica].submission, 0) != 0) hurry(number, open, now);
  }

  /// A replica has answered.
  void answered(std::size_t replica, const SubmissionAnswer& answer, Time now) {
    const Replied& reply = answer.reply;
    if (reply.req_no == never_valid) return hear_position(replica, answer, now);
    const auto found = open_.find(reply.req_no);
    if (found == open_.end() || found->second.asked[replica].submission != answer.number ||
        answer.number == 0) {
      ++status_.stray_answers;
      return;
    }
    Asked& asked = found->second.asked[replica];
    asked = {0, reply.outcome};
    if (const auto believed = answers_.replied(config_.replicas[replica].id, placed(reply)))
      return finish(found, *believed);
    if (is_final(reply.outcome) && count(found->second, reply.outcome) >= quorum_.weak())
      return reject(found, reply.outcome, now);
    if (reply.outcome != Outcome::delivered || !is_asked(found->second))
      hurry(found->first, found->second, now);
  }

  /// Does what is due: `send(replica, const Submission&)` returns whether the replica's queue took
  /// it. Returns when it wants to be called again at the latest.
  template <class Send>
  Time go_on(Time now, Send&& send) {
    if (!next_) probe(now, send);
    expire(now);
    if (next_) begin(now, send);
    while (!agenda_.empty() && agenda_.begin()->first <= now) {
      const auto open = open_.find(agenda_.begin()->second);
      if (open->second.call.deadline <= now) expire(open->first, open->second);
      ask(open->first, open->second, now, send);
    }
    return wake_at();
  }

  /// Ends everything: who waits is told.
  void shut_down() {
    for (ClientCall& call : std::exchange(waiting_, {})) end(call, {});
    for (auto& [number, open] : std::exchange(open_, {})) end(open.call, {});
    agenda_.clear();
  }

  ClientStatus status() const {
    ClientStatus now = status_;
    for (const Replica& replica : replicas_) now.connected += replica.connected ? 1 : 0;
    now.waiting = waiting_.size();
    now.open = open_.size();
    now.next = next_ ? next_->value : 0;
    now.answers = answers_.status();
    return now;
  }

 private:
  struct Replica {
    bool connected = false;
    std::uint64_t probe = 0;  // the submission that asks where the client stands
  };
  struct Asked {
    std::uint64_t submission = 0;  // the one that waits for an answer, if there is one
    std::optional<Outcome> said{};
  };
  /// A number that waits for its end.
  struct Open {
    Request request;
    ClientCall call;  // for numbers that nobody waits for, without `on_end`
    std::vector<Asked> asked;
    Time due;
    unsigned attempts = 0;
  };
  using Opened = typename std::map<ReqNo, Open>::iterator;
  /// A request that is to get this number.
  struct Fresh {
    ReqNo number;
    ClientCall call;
  };

  /// So many requests are signed at one time: enough for one signature over all of them to cost
  /// next to nothing, and few enough for each to carry little of the others.
  static constexpr std::size_t signed_together = 256;
  /// So many numbers of a former life are closed between two looks at what is new.
  static constexpr std::size_t filled_together = 16;
  /// The first pause before a replica that refused is asked again; it doubles.
  static constexpr std::chrono::milliseconds shortest_pause{20};

  static std::vector<NodeId> ids(const ClientConfig& config) {
    std::vector<NodeId> ids;
    for (const ReplicaAddress& replica : config.replicas) ids.push_back(replica.id);
    return ids;
  }
  std::size_t count_connected() const {
    return static_cast<std::size_t>(std::count_if(
        replicas_.begin(), replicas_.end(), [](const Replica& it) { return it.connected; }));
  }

  // Where the client stands.

  template <class Send>
  void probe(Time now, Send& send) {
    if (now < probe_at_) return;
    for (std::size_t place = 0; place < replicas_.size(); ++place) {
      Replica& replica = replicas_[place];
      if (!replica.connected || replica.probe != 0) continue;
      const Submission probe{++submission_, Spread::by_client, recovery_.probe()};
      if (send(place, probe)) replica.probe = probe.number;
    }
  }

  void hear_position(std::size_t replica, const SubmissionAnswer& answer, Time now) {
    if (next_ || answer.number == 0 || replicas_[replica].probe != answer.number) {
      ++status_.stray_answers;
      return;
    }
    replicas_[replica].probe = 0;
    probe_at_ = now + shortest_pause;
    const auto position = recovery_.replied(config_.replicas[replica].id, answer.reply);
    if (!position) return;
    fill_ = position->low;
    next_ = position->next + config_.max_open;
    fill_end_ = *next_;
  }

  // From a call to a number.

  /// Gives numbers to what waits, if enough replicas are there to be believed.
  template <class Send>
  void begin(Time now, Send& send) {
    if (count_connected() < quorum_.weak()) return;
    std::vector<Fresh> fresh;
    do {
      fresh.clear();
      for (; has_room(fresh) && !waiting_.empty(); ++*next_, waiting_.pop_front())
        fresh.push_back({*next_, std::move(waiting_.front())});
      open(fresh, now, send);
    } while (!fresh.empty());
    // A few at a time, and half of the room at most: who waits for a result comes first.
    const std::size_t fillers = std::min(filling_ + filled_together, (config_.max_open + 1) / 2);
    for (; has_room(fresh) && fill_ < fill_end_ && filling_ < fillers; ++fill_, ++filling_)
      fresh.push_back({fill_, {}});
    open(fresh, now, send);
  }
  bool has_room(const std::vector<Fresh>& fresh) const {
    return fresh.size() < signed_together && open_.size() + fresh.size() < config_.max_open;
  }

  template <class Send>
  void open(std::vector<Fresh>& fresh, Time now, Send& send) {
    if (fresh.empty()) return;
    std::vector<RequestRef> references;
    for (const Fresh& one : fresh) references.push_back(refer(one.number, one.call.data));
    std::vector<Bytes> signatures = signer_.sign(references);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      const ReqNo number = fresh[i].number;
      ClientCall& call = fresh[i].call;
      Request request{config_.id, number, std::move(call.data), std::move(signatures[i])};
      const auto [opened, added] = open_.emplace(
          number, Open{std::move(request), std::move(call), std::vector<Asked>(replicas_.size()),
                       Time::max(), 0});
      answers_.expect(number);
      agenda_.emplace(opened->second.due, number);
      ask(number, opened->second, now, send);
    }
  }

  RequestRef refer(ReqNo number, const Bytes& data) {
    for (const Bytes& part : wire::request_parts(cluster(), config_.id, number, data))
      hasher_.update(part.view());
    return {config_.id, number, hasher_.finish()};
  }
  ByteView cluster() const noexcept { return bytes_of(config_.cluster_id); }

  // Asking.

  /// Gives the request to the replicas that do not have it over their present connection: at first
  /// to as many as are configured, not always the same ones; then to all.
  template <class Send>
  void ask(ReqNo number, Open& open, Time now, Send& send) {
    const std::size_t all = replicas_.size();
    const std::size_t wanted =
        open.attempts == 0 && config_.send_to != 0 ? config_.send_to : all;
    const Spread spread =
        wanted == all && count_connected() == all ? Spread::by_client : Spread::by_replica;
    std::size_t given = 0;
    for (std::size_t step = 0; step < all && given < wanted; ++step) {
      const std::size_t place = (number.value + step) % all;
      Asked& asked = open.asked[place];
      if (!replicas_[place].connected) continue;
      ++given;
      if (asked.submission != 0 || asked.said == Outcome::delivered) continue;
      const Submission submission{++submission_, spread, open.request};
      if (!send(place, submission)) {
        ++status_.queue_full;
        continue;
      }
      asked.submission = submission.number;
      ++status_.submissions;
      status_.retries += open.attempts > 0 ? 1 : 0;
    }
    ++open.attempts;
    schedule(number, open, now + config_.retry_after);
  }

  /// Whether answers are to come.
  static bool is_asked(const Open& open) {
    return std::any_of(open.asked.begin(), open.asked.end(),
                       [](const Asked& asked) { return asked.submission != 0; });
  }

  /// A replica that was asked is of no help: others are, soon.
  void hurry(ReqNo number, Open& open, Time now) {
    const auto pause = std::min<std::chrono::milliseconds>(
        shortest_pause * (1U << std::min(open.attempts, 10U)), config_.retry_after);
    if (now + pause < open.due) schedule(number, open, now + pause);
  }

  void schedule(ReqNo number, Open& open, Time due) {
    agenda_.erase({open.due, number});
    open.due = std::min(due, open.call.deadline);
    agenda_.emplace(open.due, number);
  }

  // Endings.

  /// Refusals that asking again does not change.
  static bool is_final(Outcome outcome) noexcept {
    return outcome == Outcome::rejected_signature || outcome == Outcome::rejected_size ||
           outcome == Outcome::rejected_conflict;
  }
  static std::size_t count(const Open& open, Outcome outcome) {
    return static_cast<std::size_t>(
        std::count_if(open.asked.begin(), open.asked.end(),
                      [&](const Asked& asked) { return asked.said == outcome; }));
  }

  /// The place in the order becomes a part of what replicas must agree on.
  static Replied placed(const Replied& reply) {
    if (reply.outcome != Outcome::delivered) return reply;
    Replied placed = reply;
    placed.result = Bytes::filled(sizeof reply.sn.value + reply.result.size(),
                                  [&](std::uint8_t* out) {
                                    little_endian::put(out, reply.sn.value);
                                    std::copy(reply.result.begin(), reply.result.end(), out);
                                  });
    return placed;
  }

  void finish(Opened open, const ClientResult& believed) {
    if (!believed.result) return finish(open, {ClientEnd::forgotten, {}, {}, {}});
    const std::uint8_t* at = believed.result->data();
    const SeqNr sn(little_endian::get<std::uint64_t>(at));
    finish(open, {ClientEnd::delivered, {}, sn,
                  believed.result->slice(sizeof sn.value, believed.result->size())});
  }
  void finish(Opened open, const ClientReply& reply) {
    agenda_.erase({open->second.due, open->first});
    answers_.forget(open->first);
    ClientCall call = std::move(open->second.call);
    if (open->first < fill_end_) --filling_;
    open_.erase(open);
    if (!call.on_end) ++status_.filled;
    end(call, reply);
  }

  void reject(Opened open, Outcome reason, Time now) {
    const ClientReply reply{ClientEnd::rejected, reason, {}, {}};
    const bool is_taken = reason == Outcome::rejected_conflict;
    if (is_taken || !open->second.call.on_end) return finish(open, reply);
    give_up(open->first, open->second, reply);
    hurry(open->first, open->second, now);
  }

  /// The deadline has come.
  void expire(ReqNo number, Open& open) {
    const bool refused = count(open, Outcome::overloaded) == replicas_.size();
    give_up(number, open,
            {refused ? ClientEnd::overloaded : ClientEnd::timed_out, {}, {}, {}});
  }
  /// Nobody waits any more. The number remains open, for an empty request.
  void give_up(ReqNo number, Open& open, const ClientReply& reply) {
    end(open.call, reply);
    open.call = {};
    open.request.data = {};
    open.request.authenticator = signer_.sign(std::vector{refer(number, {})}).front();
    for (Asked& asked : open.asked) asked.said.reset();
  }

  /// What has no number yet may also come too late.
  void expire(Time now) {
    std::erase_if(waiting_, [&](ClientCall& call) {
      if (call.deadline > now) return false;
      end(call, {ClientEnd::timed_out, {}, {}, {}});
      return true;
    });
  }

  void end(ClientCall& call, const ClientReply& reply) {
    if (!call.on_end) return;
    switch (reply.end) {
      case ClientEnd::delivered: ++status_.delivered; break;
      case ClientEnd::forgotten: ++status_.forgotten; break;
      case ClientEnd::rejected: ++status_.rejected; break;
      case ClientEnd::overloaded: ++status_.overloaded; break;
      case ClientEnd::timed_out: ++status_.timed_out; break;
      case ClientEnd::shut_down: break;
    }
    std::exchange(call.on_end, nullptr)(reply);
  }

  Time wake_at() const {
    Time wake = agenda_.empty() ? Time::max() : agenda_.begin()->first;
    for (const Replica& replica : replicas_)
      if (!next_ && replica.connected && replica.probe == 0) wake = std::min(wake, probe_at_);
    for (const ClientCall& call : waiting_) wake = std::min(wake, call.deadline);
    return wake;
  }

  const ClientConfig& config_;
  Quorum quorum_;
  Signer signer_;
  Hasher hasher_{};
  ReplyQuorum<Hasher> answers_;
  ClientRecovery recovery_;
  std::vector<Replica> replicas_;
  std::uint64_t submission_ = 0;

  Time probe_at_{};
  std::optional<ReqNo> next_;
  /// The numbers before `fill_end_` may be left from a former life; from `fill_` on they have not
  /// been looked after yet, and so many are being closed.
  ReqNo fill_, fill_end_;
  std::size_t filling_ = 0;

  std::deque<ClientCall> waiting_;
  std::map<ReqNo, Open> open_;
  std::set<std::pair<Time, ReqNo>> agenda_;
  ClientStatus status_;
};

}  // namespace mirbft

#endif
