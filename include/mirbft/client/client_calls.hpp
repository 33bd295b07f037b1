// What a client has asked for: numbers, signatures, whom to ask, what to believe, and when to stop.
#ifndef MIRBFT_CLIENT_CLIENT_CALLS_HPP
#define MIRBFT_CLIENT_CLIENT_CALLS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <mirbft/client/client_config.hpp>
#include <mirbft/client/client_frames.hpp>
#include <mirbft/client/client_recovery.hpp>
#include <mirbft/client/open_call.hpp>
#include <mirbft/client/reply_quorum.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_position.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/little_endian.hpp>
#include <mirbft/types/number_map.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

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
    open_.for_each([&](std::uint64_t, Opened& open) {
      if (std::exchange(open->asked[replica].submission, 0) != 0) hurry(*open, now);
    });
  }

  /// A replica has answered; `now` may be a moment ago.
  void answered(std::size_t replica, const SubmissionAnswer& answer, Time now) {
    const Replied& reply = answer.reply;
    if (reply.req_no == never_valid) return hear_position(replica, answer, now);
    const Opened* const found = open_.find(reply.req_no.value);
    if (!found || (*found)->asked[replica].submission != answer.number || answer.number == 0) {
      ++status_.stray_answers;
      return;
    }
    OpenCall& open = **found;
    open.asked[replica] = {0, reply.outcome};
    if (const auto believed = answers_.replied(config_.replicas[replica].id, placed(reply)))
      return finish(*believed);
    if (is_final(reply.outcome) && open.count(reply.outcome) >= quorum_.weak())
      return reject(open, reply.outcome, now);
    if (reply.outcome != Outcome::delivered || !open.is_asked()) hurry(open, now);
  }

  /// Does what is due: `send(replica, const Submission&)` returns whether the replica's queue took
  /// it. Returns when it wants to be called again at the latest.
  template <class Send>
  Time go_on(Time now, Send&& send) {
    if (!next_) probe(now, send);
    expire(now);
    if (next_) begin(now, send);
    look(now, send);
    return wake_at();
  }

  /// Ends everything: who waits is told.
  void shut_down() {
    for (ClientCall& call : std::exchange(waiting_, {})) end(call, {});
    std::exchange(open_, {}).for_each([&](std::uint64_t, Opened& open) { end(open->call, {}); });
    status_.open = 0;
  }

  ClientStatus status() const {
    ClientStatus now = status_;
    for (const Replica& replica : replicas_) now.connected += replica.connected ? 1 : 0;
    now.waiting = waiting_.size();
    now.next = next_ ? next_->value : 0;
    now.answers = answers_.status();
    return now;
  }

 private:
  struct Replica {
    bool connected = false;
    std::uint64_t probe = 0;  // the submission that asks where the client stands
  };
  using Opened = std::unique_ptr<OpenCall>;

  /// So many requests are signed at one time: enough for one signature over all of them to cost
  /// next to nothing, and few enough for each to carry little of the others.
  static constexpr std::size_t signed_together = 512;
  /// So many numbers of a former life are closed between two looks at what is new.
  static constexpr std::size_t filled_together = 16;
  /// The first pause before a replica that refused is asked again; it doubles.
  static constexpr std::chrono::milliseconds shortest_pause{20};
  /// The shortest time between two looks at all that is open.
  static constexpr std::chrono::milliseconds between_looks{5};

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
    std::size_t room = config_.max_open - status_.open;
    while (room > 0 && !waiting_.empty()) {
      std::vector<OpenCall*> fresh;
      for (; room > 0 && fresh.size() < signed_together && !waiting_.empty(); --room, ++*next_) {
        fresh.push_back(&open(*next_, std::move(waiting_.front())));
        waiting_.pop_front();
      }
      start(fresh, now, send);
    }
    // A few at a time, and half of the room at most: who waits for a result comes first.
    const std::size_t fillers = std::min(filling_ + filled_together, (config_.max_open + 1) / 2);
    std::vector<OpenCall*> fresh;
    for (; room > 0 && fill_ < fill_end_ && filling_ < fillers; --room, ++fill_, ++filling_)
      fresh.push_back(&open(fill_, {}));
    start(fresh, now, send);
  }

  OpenCall& open(ReqNo number, ClientCall call) {
    Opened& open = open_[number.value];
    open = std::make_unique<OpenCall>();
    open->submission.request = {config_.id, number, std::move(call.data), {}};
    open->call = std::move(call);
    open->asked.resize(replicas_.size());
    answers_.expect(number);
    ++status_.open;
    return *open;
  }

  template <class Send>
  void start(const std::vector<OpenCall*>& fresh, Time now, Send& send) {
    if (fresh.empty()) return;
    std::vector<RequestRef> references;
    references.reserve(fresh.size());
    for (const OpenCall* one : fresh) references.push_back(refer(one->submission.request));
    std::vector<Bytes> signatures = signer_.sign(references);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
      fresh[i]->submission.request.authenticator = std::move(signatures[i]);
      ask(*fresh[i], now, send);
    }
  }

  RequestRef refer(const Request& request) {
    for (const Bytes& part :
         wire::request_parts(cluster(), request.client, request.req_no, request.data))
      hasher_.update(part.view());
    return {request.client, request.req_no, hasher_.finish()};
  }
  ByteView cluster() const noexcept { return bytes_of(config_.cluster_id); }

  // Asking.

  /// Gives the request to the replicas that do not have it over their present connection: at first
  /// to as many as are configured, not always the same ones; then to all.
  template <class Send>
  void ask(OpenCall& open, Time now, Send& send) {
    const std::size_t all = replicas_.size();
    const std::size_t wanted =
        open.attempts == 0 && config_.send_to != 0 ? config_.send_to : all;
    open.submission.number = ++submission_;
    open.submission.spread =
        wanted == all && count_connected() == all ? Spread::by_client : Spread::by_replica;
    std::size_t given = 0;
    for (std::size_t step = 0; step < all && given < wanted; ++step) {
      const std::size_t place = (open.submission.request.req_no.value + step) % all;
      OpenCall::Asked& asked = open.asked[place];
      if (!replicas_[place].connected) continue;
      ++given;
      if (asked.submission != 0 || asked.said == Outcome::delivered) continue;
      if (!send(place, std::as_const(open.submission))) {
        ++status_.queue_full;
        continue;
      }
      asked.submission = submission_;
      ++status_.submissions;
      status_.retries += open.attempts > 0 ? 1 : 0;
    }
    ++open.attempts;
    schedule(open, now + config_.retry_after);
  }

  /// A replica that was asked is of no help: others are, soon.
  void hurry(OpenCall& open, Time now) {
    const auto pause = std::min<std::chrono::milliseconds>(
        shortest_pause * (1U << std::min(open.attempts, 10U)), config_.retry_after);
    if (now + pause < open.due) schedule(open, now + pause);
  }

  void schedule(OpenCall& open, Time due) {
    open.due = std::min(due, open.call.deadline);
    look_at_ = std::min(look_at_, open.due);
  }

  /// Asks again where it is time to. Most numbers end long before that, so they are not kept in the
  /// order of their times: a look goes over all of them, and is not taken too often.
  template <class Send>
  void look(Time now, Send& send) {
    if (now < look_at_) return;
    look_at_ = Time::max();
    open_.for_each([&](std::uint64_t, Opened& open) {
      if (open->due > now) return schedule(*open, open->due);
      if (open->call.deadline <= now) expire(*open);
      ask(*open, now, send);
    });
    look_at_ = std::max(look_at_, now + between_looks);
  }

  // Endings.


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

  void finish(const ClientResult& believed) {
    if (!believed.result) return finish(believed.req_no, {ClientEnd::forgotten, {}, {}, {}});
    const std::uint8_t* at = believed.result->data();
    const SeqNr sn(little_endian::get<std::uint64_t>(at));
    finish(believed.req_no,
           {ClientEnd::delivered, {}, sn,
            believed.result->slice(sizeof sn.value, believed.result->size())});
  }
  void finish(ReqNo number, const ClientReply& reply) {
    const Opened open = *open_.take(number.value);
    --status_.open;
    if (number < fill_end_) --filling_;
    if (!open->call.on_end) ++status_.filled;
    end(open->call, reply);
  }

  void reject(OpenCall& open, Outcome reason, Time now) {
    const ClientReply reply{ClientEnd::rejected, reason, {}, {}};
    const ReqNo number = open.submission.request.req_no;
    if (reason == Outcome::rejected_conflict || !open.call.on_end) {
      answers_.forget(number);
      return finish(number, reply);
    }
    give_up(open, reply);
    hurry(open, now);
  }

  /// The deadline has come.
  void expire(OpenCall& open) {
    const bool refused = open.count(Outcome::overloaded) == replicas_.size();
    give_up(open,
            {refused ? ClientEnd::overloaded : ClientEnd::timed_out, {}, {}, {}});
  }
  /// Nobody waits any more. The number remains open, for an empty request.
  void give_up(OpenCall& open, const ClientReply& reply) {
    end(open.call, reply);
    open.call = {};
    Request& request = open.submission.request;
    request.data = Bytes();
    request.authenticator = signer_.sign(std::vector{refer(request)}).front();
    for (OpenCall::Asked& asked : open.asked) asked.said.reset();
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
    Time wake = open_.empty() ? Time::max() : look_at_;
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
  NumberMap<Opened> open_;
  Time look_at_ = Time::max();  // no number is due before, unless one was a moment ago
  ClientStatus status_;
};

}  // namespace mirbft

#endif
