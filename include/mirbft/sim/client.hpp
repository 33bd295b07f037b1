// A simulated client: it keeps requests open, waits for answers, and asks again.
#ifndef MIRBFT_SIM_CLIENT_HPP
#define MIRBFT_SIM_CLIENT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/client/reply_quorum.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// To how many replicas a client gives a request.
enum class Target : std::uint8_t { one, some, all };

/// When a client believes an answer: at once when all replicas are honest that it asks, and a weak
/// quorum of them or all have answered; or, since some may lie, when a weak quorum says the same.
enum class Belief : std::uint8_t { answers, equal_answers };

/// Whether others submit in the client's name: a replica's refusal may be meant for them then, and
/// the client tries again.
enum class Forgers : std::uint8_t { none, some };

/// What a client does.
struct ClientConfig {
  ClientId id{};
  /// How many requests it makes altogether, and how many of them at a time.
  std::uint64_t requests = 100;
  std::size_t open = 4;
  Target target = Target::all;
  Belief belief = Belief::answers;
  Forgers forgers = Forgers::none;
  /// When it asks again for what is not answered, with the same number.
  Time retry_after = std::chrono::seconds(2);
  /// Between an answer and the next request, at most.
  Time rest = std::chrono::milliseconds(20);
  /// The body of a request; by default some text that names it.
  std::function<std::string(ClientId, ReqNo, Random&)> body{};
  /// Its signature under a request, made anew whenever it asks; by default there is none. While the
  /// client has another key than the replicas believe, it is refused and tries again.
  std::function<Bytes(const Request&)> sign{};
};

namespace detail {

/// Tells results apart. Nobody looks for collisions here.
class ResultHasher {
 public:
  void update(ByteView bytes) noexcept { sum_.add(bytes); }
  Digest finish() noexcept {
    Digest digest;
    const std::uint64_t value = std::exchange(sum_, {}).value();
    std::memcpy(digest.bytes.data(), &value, sizeof value);
    return digest;
  }

 private:
  Fingerprint sum_;
};

}  // namespace detail

/// A correct client.
class Client {
 public:
  /// Who answers: the client does not know, and its checks must.
  enum class Whom : std::uint8_t { correct, anybody };

  Client(ClientConfig config, std::vector<NodeId> replicas, Random random)
      : config_(std::move(config)),
        replicas_(std::move(replicas)),
        random_(random),
        quorum_(config_.id, replicas_) {}

  ClientId id() const noexcept { return config_.id; }
  std::uint64_t made() const noexcept { return next_.value; }
  std::uint64_t completed() const noexcept { return next_.value - open_.size(); }
  std::uint64_t retries() const noexcept { return retries_; }
  /// Whether it has made all its requests, and has all the answers.
  bool done() const noexcept { return open_.empty() && next_.value >= config_.requests; }
  /// The first request without an answer, if there is one.
  std::optional<ReqNo> waits_for() const {
    return open_.empty() ? std::nullopt : std::optional(open_.begin()->first);
  }

  /// Makes no more requests.
  void stop() noexcept { config_.requests = std::min(config_.requests, next_.value); }
  /// From now on these are asked, and soon: what is open is due for another try at `now`.
  void turn_to(std::vector<NodeId> replicas, Time now) {
    replicas_ = std::move(replicas);
    for (auto& [number, open] : open_) open.due = now;
  }

  /// Makes new requests and repeats those that are due: calls `send(NodeId, const Request&,
  /// Spread)` for each replica, and `made(const Request&)` for new ones. Returns when it wants to
  /// be called again; `never` if an answer must come first.
  template <class Send, class Made>
  Time go_on(Time now, Send&& send, Made&& made) {
    Time wake = never;
    for (auto& [number, open] : open_) {
      if (open.due <= now) {
        ++retries_;
        ask(open, now, send);
      }
      wake = std::min(wake, open.due);
    }
    while (open_.size() < config_.open && next_.value < config_.requests) {
      Open& open = open_[next_];
      open.request = make_request();
      if (config_.belief == Belief::equal_answers) quorum_.expect(next_);
      made(open.request);
      ask(open, now, send);
      wake = std::min(wake, open.due);
      ++next_;
    }
    return wake;
  }

  /// A replica has answered. Returns what is believed if the request is complete by that, and so a
  /// new one may be made. That may be another's answer, or that nobody remembers the result.
  std::optional<ClientResult> replied(NodeId from, const Replied& reply, Findings& findings,
                                      Whom whom = Whom::correct) {
    const auto found = open_.find(reply.req_no);
    if (found == open_.end()) return std::nullopt;
    Open& open = found->second;
    if (whom == Whom::correct && !is_fair(from, reply, open, findings)) return std::nullopt;
    auto known = config_.belief == Belief::equal_answers ? believed(from, reply, open, findings)
                 : whom == Whom::correct                 ? counted(from, reply, open)
                                                         : std::nullopt;
    if (known) open_.erase(found);
    return known;
  }

  /// How long it rests before its next request.
  Time rest() noexcept { return random_.between(Time{}, config_.rest); }

 private:
  struct Open {
    Request request;
    Time due{};
    std::size_t needed = 1;
    /// In this round: nobody is asked again before all others were.
    std::set<NodeId> asked;
    std::vector<NodeId> answered;
    bool known = false;
    SeqNr sn;
    Bytes result;
  };

  Request make_request() {
    std::string body = config_.body
                           ? config_.body(config_.id, next_, random_)
                           : std::to_string(config_.id.value) + "/" + std::to_string(next_.value);
    return {config_.id, next_, Bytes(body), {}};
  }

  template <class Send>
  void ask(Open& open, Time now, Send& send) {
    open.due = now + config_.retry_after;
    if (config_.sign) open.request.authenticator = config_.sign(open.request);
    random_.shuffle(replicas_);
    std::stable_partition(replicas_.begin(), replicas_.end(),
                          [&](NodeId id) { return !open.asked.contains(id); });
    const std::size_t count = config_.target == Target::one    ? 1
                              : config_.target == Target::some ? 1 + random_.below(replicas_.size())
                                                               : replicas_.size();
    const Spread spread = config_.target == Target::all ? Spread::by_client : Spread::by_replica;
    open.needed = std::min(count, Quorum(replicas_.size()).weak());
    for (std::size_t i = 0; i < count; ++i) {
      if (!open.asked.insert(replicas_[i]).second) open.asked = {replicas_[i]};
      send(replicas_[i], open.request, spread);
    }
  }

  /// Whether it is an answer to go by. A correct replica refuses no honest request for good, and
  /// says what the others say.
  bool is_fair(NodeId from, const Replied& reply, Open& open, Findings& findings) const {
    switch (reply.outcome) {
      case Outcome::delivered: check(from, reply, open, findings); return true;
      case Outcome::already_delivered: return true;
      case Outcome::overloaded:
      case Outcome::rejected_window:
      case Outcome::shut_down: return false;  // it tries again in time
      case Outcome::rejected_signature:
        if (config_.sign) return false;
        [[fallthrough]];
      default:
        if (config_.forgers == Forgers::some) return false;
        findings.report("admission", from, std::nullopt,
                        name_of(reply.client, reply.req_no) + " is honest, and was " +
                            std::string(to_string(reply.outcome)));
        return false;
    }
  }

  std::optional<ClientResult> counted(NodeId from, const Replied& reply, Open& open) const {
    if (std::find(open.answered.begin(), open.answered.end(), from) == open.answered.end())
      open.answered.push_back(from);
    if (open.answered.size() < open.needed) return std::nullopt;
    ClientResult known{reply.req_no, std::nullopt};
    if (reply.outcome == Outcome::delivered) known.result = reply.result;
    return known;
  }

  /// What is believed is what correct replicas say, of whom one has said it before or does now.
  std::optional<ClientResult> believed(NodeId from, const Replied& reply, const Open& open,
                                       Findings& findings) {
    auto known = quorum_.replied(from, reply);
    if (known && known->result && (!open.known || *known->result != open.result))
      findings.report("belief", from, std::nullopt,
                      name_of(reply.client, reply.req_no) +
                          " has a result for its client that no correct replica has given");
    return known;
  }

  /// Correct replicas apply the same requests at the same places, with the same results.
  void check(NodeId from, const Replied& reply, Open& open, Findings& findings) const {
    if (open.known && (open.sn != reply.sn || open.result != reply.result))
      findings.report("same results", from, reply.sn,
                      name_of(reply.client, reply.req_no) +
                          " has another place or result than at the replica that answered first");
    open.known = true;
    open.sn = reply.sn;
    open.result = reply.result;
  }

  ClientConfig config_;
  std::vector<NodeId> replicas_;
  Random random_;
  ReplyQuorum<detail::ResultHasher> quorum_;
  ReqNo next_;
  std::map<ReqNo, Open> open_;
  std::uint64_t retries_ = 0;
};

}  // namespace mirbft::sim

#endif
