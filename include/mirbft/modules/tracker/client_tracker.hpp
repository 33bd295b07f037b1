// The default Tracker: takes clients' requests through window, digest, signature and store.
#ifndef MIRBFT_MODULES_TRACKER_CLIENT_TRACKER_HPP
#define MIRBFT_MODULES_TRACKER_CLIENT_TRACKER_HPP

#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/crypto.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/modules/tracker/delivered_numbers.hpp>
#include <mirbft/modules/tracker/open_number.hpp>
#include <mirbft/modules/tracker/reply_cache.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/modules/tracker/tracker_status.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

/// What the Tracker hashes a request for. The ticket tells candidates under one number apart.
struct RequestHash {
  static constexpr auto module = slot::tracker;
  static constexpr std::uint32_t number = 1;

  ClientId client;
  ReqNo req_no;
  std::uint64_t ticket = 0;
};

/// Admits requests, and answers their submitters (protocol, section 2).
///
///     NewRequest → HashRequest → VerifyRequestSig → StoreVerifiedRequest, then RequestReady
///     Applied → Replied
///
/// Under a (client, number) the first payload whose signature verifies is admitted; until then
/// several are checked side by side, so that a forged one cannot keep the honest one out. What the
/// Protocol fetched because a proposal names it is admitted beside another.
///
/// Every submission is answered by Replied: at once when it is refused, else with the result. For
/// what the Protocol fetched nobody waits, so its refusal is only counted.
///
/// Memory is bounded by TrackerConfig, whatever arrives; beyond it, one bit for each number that a
/// client has delivered inside its window.
class ClientTracker {
 public:
  using consumes = events<Init, NewRequest, HashResult<RequestHash>, RequestSigVerified, Applied,
                          WindowsMoved>;
  using emits = events<HashRequest<RequestHash>, VerifyRequestSig, StoreVerifiedRequest,
                       RequestReady, Replied>;

  /// Candidates under one number, of clients and of proposals each; more are told to come again.
  static constexpr std::size_t max_candidates = 4;

  /// Throws ConfigError.
  explicit ClientTracker(TrackerConfig config) : config_(std::move(config)) { config_.check(); }

  void process(Init, auto& /*out*/) noexcept {}

  void process(NewRequest event, auto& out) {
    Request& request = event.request;
    const auto refused = [&](Outcome outcome) {
      refuse(request.client, request.req_no, event.spread, outcome, out);
    };
    if (request.data.size() > config_.max_request_bytes ||
        request.authenticator.size() > TrackerConfig::max_authenticator_bytes)
      return refused(Outcome::rejected_size);

    Client* client = find(request.client);
    const ReqNo low = client ? client->delivered.low() : ReqNo(0);
    if (client && client->delivered.contains(request.req_no))
      return answer_again(request, event.spread, *client, out);
    if (request.req_no - low >= config_.window) return refused(Outcome::rejected_window);

    OpenNumber* number = client ? client->find(request.req_no) : nullptr;
    if (Candidate* same = number ? number->find_same(request) : nullptr) {
      ++status_.repeated;
      return same->join(event.spread);
    }
    const bool proposed = event.spread == Spread::fetched;
    if (number && number->count(proposed) >= max_candidates) return refused(Outcome::overloaded);
    if (!has_room(client, request, proposed)) return refused(Outcome::overloaded);

    begin(std::move(event), client ? *client : add(request.client), out);
  }

  void process(HashResult<RequestHash> event, auto& out) {
    const RequestHash& origin = event.origin;
    Client* client = find(origin.client);
    OpenNumber* number = client ? client->find(origin.req_no) : nullptr;
    Candidate* candidate = number ? number->find_hashing(origin.ticket) : nullptr;
    if (!candidate) return;  // delivered meanwhile

    candidate->digest = event.digest;
    if (number->holds(event.digest)) {
      ++status_.repeated;
      end(*number, *candidate);
    } else if (number->admitted && !candidate->proposed) {
      refuse(origin.client, origin.req_no, candidate->spread, Outcome::rejected_conflict, out);
      end(*number, *candidate);
    } else if (number->find(Stage::verifying, event.digest)) {
      candidate->stage = Stage::waiting;
    } else {
      verify(*candidate, out);
    }
  }

  void process(RequestSigVerified event, auto& out) {
    const RequestRef& reference = event.reference;
    Client* client = find(reference.client);
    OpenNumber* number = client ? client->find(reference.req_no) : nullptr;
    Candidate* candidate = number ? number->find(Stage::verifying, reference.digest) : nullptr;
    if (!candidate) return;

    if (event.verdict == SignatureCheck::valid) {
      join_waiting(*number, *candidate);
      candidate = number->find(Stage::verifying, reference.digest);
      decide(*number, *candidate, out);
    } else {
      refuse(reference.client, reference.req_no, candidate->spread, Outcome::rejected_signature,
             out);
      end(*number, *candidate);
      if (Candidate* next = number->find(Stage::waiting, reference.digest)) verify(*next, out);
    }
    forget_idle(reference.client, *client, reference.req_no, *number);
  }

  void process(Applied event, auto& out) {
    for (Reply& reply : event.replies) {
      Client* known = find(reply.client);
      Client& client = known ? *known : add(reply.client);
      client.lasting = true;
      client.delivered.insert(reply.req_no, config_.window);
      close(client, client.open.find(reply.req_no));
      client.replies.keep({reply.req_no, event.sn, reply.result}, config_.reply_cache_bytes);
      ++status_.delivered;
      out.emit(Replied{reply.client, reply.req_no, Outcome::delivered, event.sn,
                       std::move(reply.result)});
    }
  }

  void process(WindowsMoved event, auto& out) {
    for (const ClientWindow& window : event.windows) {
      Client* known = find(window.client);
      Client& client = known ? *known : add(window.client);
      client.lasting = true;
      client.delivered.advance(window, config_.window);
      settle_delivered(window.client, client, out);
    }
  }

  TrackerStatus status() const noexcept {
    TrackerStatus now = status_;
    now.clients = clients_.size();
    return now;
  }

 private:
  using OpenNumbers = std::map<ReqNo, tracker::OpenNumber>;
  using OpenNumber = tracker::OpenNumber;
  using Candidate = tracker::Candidate;
  using Stage = tracker::Stage;

  struct Client {
    tracker::DeliveredNumbers delivered;
    OpenNumbers open;
    tracker::ReplyCache replies;
    /// It has delivered requests. Others are forgotten as soon as nothing of them is open, or
    /// forgeries could fill the table.
    bool lasting = false;

    OpenNumber* find(ReqNo number) {
      const auto found = open.find(number);
      return found == open.end() ? nullptr : &found->second;
    }
  };

  // Requests come in runs of one client, so the last one is found without a search.
  Client* find(ClientId id) {
    if (last_ && last_->first == id) return &last_->second;
    const auto found = clients_.find(id);
    if (found == clients_.end()) return nullptr;
    last_ = &*found;
    return &found->second;
  }

  Client& add(ClientId id) { return clients_[id]; }

  bool has_room(const Client* client, const Request& request, bool proposed) const noexcept {
    const std::uint64_t limit = config_.max_pending_bytes * (proposed ? 2 : 1);
    return (client || proposed || clients_.size() < config_.max_clients) &&
           status_.pending_bytes + tracker::cost(request) <= limit;
  }

  void refuse(ClientId client, ReqNo number, Spread spread, Outcome outcome, auto& out) {
    status_.count(outcome);
    if (spread != Spread::fetched) out.emit(Replied{client, number, outcome, {}, {}});
  }

  /// A delivered request is submitted again.
  void answer_again(const Request& request, Spread spread, Client& client, auto& out) {
    if (spread == Spread::fetched) return;
    if (client.find(request.req_no)) {
      ++status_.repeated;  // its reply is on the way
      return;
    }
    status_.count(Outcome::already_delivered);
    const tracker::CachedReply* cached = client.replies.find(request.req_no);
    out.emit(cached ? Replied{request.client, request.req_no, Outcome::delivered, cached->sn,
                              cached->result}
                    : Replied{request.client, request.req_no, Outcome::already_delivered, {}, {}});
  }

  void begin(NewRequest event, Client& client, auto& out) {
    Request& request = event.request;
    const RequestHash origin{request.client, request.req_no, next_ticket_++};
    out.emit(HashRequest<RequestHash>{
        wire::request_parts(config_.cluster.view(), origin.client, origin.req_no, request.data),
        origin});
    ++status_.checking;
    status_.pending_bytes += tracker::cost(request);
    // Clients count upwards, so the place is nearly always the last one.
    const auto number = client.open.try_emplace(client.open.end(), origin.req_no);
    number->second.candidates.push_back({std::move(request), origin.ticket, {}, Stage::hashing,
                                         event.spread, event.spread == Spread::fetched});
  }

  void verify(Candidate& candidate, auto& out) {
    candidate.stage = Stage::verifying;
    out.emit(VerifyRequestSig{reference_of(candidate), candidate.request.authenticator});
  }

  static RequestRef reference_of(const Candidate& candidate) noexcept {
    return {candidate.request.client, candidate.request.req_no, candidate.digest};
  }

  /// The payload of `candidate` is authentic: those that wait with the same one need no verdict.
  void join_waiting(OpenNumber& number, Candidate& candidate) {
    const Digest digest = candidate.digest;
    for (const Candidate& other : number.candidates)
      if (other.stage == Stage::waiting && other.digest == digest) candidate.join(other);
    while (Candidate* other = number.find(Stage::waiting, digest)) {
      ++status_.repeated;
      end(number, *other);
    }
  }

  /// Admits an authentic candidate, unless the client has signed another payload before.
  void decide(OpenNumber& number, Candidate& candidate, auto& out) {
    if (number.admitted) ++status_.equivocations;
    if (number.admitted && !candidate.proposed) {
      refuse(candidate.request.client, candidate.request.req_no, candidate.spread,
             Outcome::rejected_conflict, out);
      return end(number, candidate);
    }
    number.admit(candidate);
    ++status_.admitted;
    ++status_.pending;
    status_.pending_bytes += tracker::cost(candidate.request);
    const RequestRef reference = reference_of(candidate);
    const auto size = static_cast<std::uint32_t>(candidate.request.data.size());
    out.emit(StoreVerifiedRequest{reference, candidate.request.data,
                                  candidate.request.authenticator})
        .then(RequestReady{reference, size, candidate.spread});
    end(number, candidate);
  }

  /// Drops a candidate.
  void end(OpenNumber& number, const Candidate& candidate) {
    --status_.checking;
    status_.pending_bytes -= tracker::cost(candidate.request);
    number.candidates.erase(number.candidates.begin() + (&candidate - number.candidates.data()));
  }

  void drop_candidates(OpenNumber& number) {
    while (!number.candidates.empty()) end(number, number.candidates.back());
  }

  /// Drops a number and all that is under it; does nothing at the end of the map.
  OpenNumbers::iterator close(Client& client, OpenNumbers::iterator at) {
    if (at == client.open.end()) return at;
    drop_candidates(at->second);
    if (at->second.admitted) status_.pending -= 1 + at->second.also_admitted.size();
    status_.pending_bytes -= at->second.admitted_cost;
    return client.open.erase(at);
  }

  void forget_idle(ClientId id, Client& client, ReqNo req_no, const OpenNumber& number) {
    if (!number.idle()) return;
    client.open.erase(req_no);
    if (client.lasting || !client.open.empty()) return;
    last_ = nullptr;
    clients_.erase(id);
  }

  /// The windows overtake the App: what they call delivered is closed by its Applied, which is on
  /// the way. After a state transfer there is none, so at the windows' second move the submitter is
  /// told what is known.
  void settle_delivered(ClientId id, Client& client, auto& out) {
    for (auto at = client.open.begin(); at != client.open.end();) {
      auto& [req_no, number] = *at;
      if (!client.delivered.contains(req_no)) {
        ++at;
      } else if (number.awaits_reply) {
        out.emit(Replied{id, req_no, Outcome::already_delivered, {}, {}});
        at = close(client, at);
      } else {
        number.awaits_reply = true;
        drop_candidates(number);
        ++at;
      }
    }
  }

  TrackerConfig config_;
  std::map<ClientId, Client> clients_;
  std::pair<const ClientId, Client>* last_ = nullptr;
  std::uint64_t next_ticket_ = 0;
  TrackerStatus status_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::RequestHash, client, req_no, ticket);

#endif
