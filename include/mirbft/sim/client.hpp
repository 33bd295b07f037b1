// A simulated client: it keeps requests open, waits for answers, and asks again.
#ifndef MIRBFT_SIM_CLIENT_HPP
#define MIRBFT_SIM_CLIENT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/node.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// To how many replicas a client gives a request.
enum class Target : std::uint8_t { one, some, all };

/// What a client does.
struct ClientConfig {
  ClientId id{};
  /// How many requests it makes altogether, and how many of them at a time.
  std::uint64_t requests = 100;
  std::size_t open = 4;
  Target target = Target::all;
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

/// A correct client. An answer is believed when a weak quorum gives it, or the only replica that
/// was asked.
class Client {
 public:
  Client(ClientConfig config, std::vector<NodeId> replicas, Random random)
      : config_(std::move(config)), replicas_(std::move(replicas)), random_(random) {}

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
      made(open.request);
      ask(open, now, send);
      wake = std::min(wake, open.due);
      ++next_;
    }
    return wake;
  }

  /// A correct replica has answered. Returns whether the request is complete by that, and so a new
  /// one may be made.
  bool replied(NodeId from, const Replied& reply, Findings& findings) {
    const auto found = open_.find(reply.req_no);
    if (found == open_.end()) return false;
    Open& open = found->second;
    switch (reply.outcome) {
      case Outcome::delivered: check(from, reply, open, findings); break;
      case Outcome::already_delivered: break;
      case Outcome::overloaded:
      case Outcome::rejected_window:
      case Outcome::shut_down: return false;  // it tries again in time
      case Outcome::rejected_signature:
        if (config_.sign) return false;
        [[fallthrough]];
      default:
        findings.report("admission", from, std::nullopt,
                        name_of(reply.client, reply.req_no) + " is honest, and was " +
                            std::string(to_string(reply.outcome)));
        return false;
    }
    if (std::find(open.answered.begin(), open.answered.end(), from) == open.answered.end())
      open.answered.push_back(from);
    if (open.answered.size() < open.needed) return false;
    open_.erase(found);
    return true;
  }

  /// How long it rests before its next request.
  Time rest() noexcept { return random_.between(Time{}, config_.rest); }

 private:
  struct Open {
    Request request;
    Time due{};
    std::size_t needed = 1;
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
    const std::size_t count = config_.target == Target::one    ? 1
                              : config_.target == Target::some ? 1 + random_.below(replicas_.size())
                                                               : replicas_.size();
    const Spread spread = config_.target == Target::all ? Spread::by_client : Spread::by_replica;
    open.needed = std::min(count, Quorum(replicas_.size()).weak());
    for (std::size_t i = 0; i < count; ++i) send(replicas_[i], open.request, spread);
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
  ReqNo next_;
  std::map<ReqNo, Open> open_;
  std::uint64_t retries_ = 0;
};

}  // namespace mirbft::sim

#endif
