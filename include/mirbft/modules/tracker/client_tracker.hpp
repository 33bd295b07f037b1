// The default Tracker: takes clients' requests through window, digest, signature and store.
#ifndef MIRBFT_MODULES_TRACKER_CLIENT_TRACKER_HPP
#define MIRBFT_MODULES_TRACKER_CLIENT_TRACKER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

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
#include <mirbft/types/client_position.hpp>
#include <mirbft/types/number_map.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace mirbft {

/// What the Tracker hashes a request for. The ticket tells payloads under one number apart.
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

  /// Payloads that are checked at a time under one number: so many of clients, and as many again
  /// of proposals. Further ones are refused as overload.
  static constexpr std::size_t max_checking = 4;

  /// Throws ConfigError.
  explicit ClientTracker(TrackerConfig config) : config_(std::move(config)) { config_.check(); }

  /// As it was made.
  const TrackerConfig& config() const noexcept { return config_; }

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
    if (request.req_no - low >= config_.window)
      return refuse_number(request, event.spread, client, out);

    OpenNumber* number = client ? client->find(request.req_no) : nullptr;
    Payload* same = number ? number->find_same(request.data, request.authenticator) : nullptr;
    if (same) {
      ++status_.repeated;
      return same->join(event.spread);
    }
    const bool proposed = event.spread == Spread::fetched;
    if (number && number->count_checking(proposed) >= max_checking)
      return refused(Outcome::overloaded);
    if (!has_room(client, request, proposed)) return refused(Outcome::overloaded);

    begin(std::move(event), client ? *client : clients_[request.client], out);
  }

  void process(HashResult<RequestHash> event, auto& out) {
    const RequestRef reference{event.origin.client, event.origin.req_no, event.digest};
    Client* client = find(reference.client);
    OpenNumber* number = client ? client->find(reference.req_no) : nullptr;
    Payload* payload = number ? number->find_hashing(event.origin.ticket) : nullptr;
    if (!payload) return;  // its number is delivered meanwhile

    payload->digest = event.digest;
    if (number->find(Stage::admitted, event.digest)) {
      ++status_.repeated;
      drop(*number, *payload);
    } else if (!payload->proposed && number->find_admitted()) {
      refuse(reference.client, reference.req_no, payload->spread, Outcome::rejected_conflict, out);
      drop(*number, *payload);
    } else if (number->find(Stage::verifying, event.digest)) {
      payload->stage = Stage::waiting;
    } else {
      verify(reference, *payload, out);
    }
  }

  void process(RequestSigVerified event, auto& out) {
    const RequestRef& reference = event.reference;
    Client* client = find(reference.client);
    OpenNumber* number = client ? client->find(reference.req_no) : nullptr;
    Payload* payload = number ? number->find(Stage::verifying, reference.digest) : nullptr;
    if (!payload) return;

    if (event.keys < client->rekeyed) return verify(reference, *payload, out);
    if (event.verdict == SignatureCheck::valid) {
      decide(event, *number, join_waiting(*number, *payload), out);
      return;
    }
    refuse(reference.client, reference.req_no, payload->spread, Outcome::rejected_signature, out);
    drop(*number, *payload);
    if (Payload* next = number->find(Stage::waiting, reference.digest))
      verify(reference, *next, out);
    else if (number->payloads.empty())
      forget(reference.client, *client, reference.req_no);
  }

  void process(Applied event, auto& out) {
    for (Reply& reply : event.replies) {
      Client& client = lasting(reply.client);
      client.delivered.insert(reply.req_no, config_.window);
      if (auto number = client.open.take(reply.req_no.value)) release(*number);
      client.replies.keep({reply.req_no, event.sn, reply.result}, config_.reply_cache_bytes);
      ++status_.delivered;
      out.emit(Replied{reply.client, reply.req_no, Outcome::delivered, event.sn,
                       std::move(reply.result)});
    }
  }

  void process(WindowsMoved event, auto& out) {
    for (const ClientWindow& window : event.windows) {
      Client& client = lasting(window.client);
      client.delivered.advance(window, config_.window);
      settle_delivered(window.client, client, event.reached, out);
    }
    for (const ClientId id : event.rekeyed)
      if (Client* client = find(id)) void_admitted(id, *client, event.epoch, out);
  }

  TrackerStatus status() const noexcept {
    TrackerStatus now = status_;
    now.clients = clients_.size();
    return now;
  }

 private:
  using OpenNumber = tracker::OpenNumber;
  using Payload = tracker::Payload;
  using Stage = tracker::Stage;

  struct Client {
    tracker::DeliveredNumbers delivered;
    NumberMap<OpenNumber> open;
    tracker::ReplyCache replies;
    /// Since when it has its key.
    Epoch rekeyed;
    /// It has delivered requests. Others are forgotten as soon as nothing of them is open, or
    /// forgeries could fill the table.
    bool lasting = false;
    ReqNo admitted_end;

    OpenNumber* find(ReqNo number) noexcept { return open.find(number.value); }
    /// Past what it has signed: what strangers have sent in its name does not count.
    ReqNo next() const noexcept { return std::max(delivered.end(), admitted_end); }
  };

  // Requests come in runs of one client, so the last one is found without a search.
  Client* find(ClientId id) {
    if (last_ && last_->first == id) return &last_->second;
    const auto found = clients_.find(id);
    if (found == clients_.end()) return nullptr;
    last_ = &*found;
    return &found->second;
  }

  /// The state of a client that has delivered a request, here or elsewhere.
  Client& lasting(ClientId id) {
    Client* known = find(id);
    Client& client = known ? *known : clients_[id];
    client.lasting = true;
    return client;
  }

  bool has_room(const Client* client, const Request& request, bool proposed) const noexcept {
    const std::uint64_t limit = config_.max_pending_bytes * (proposed ? 2 : 1);
    return (client || proposed || clients_.size() < config_.max_clients) &&
           status_.pending_bytes + tracker::cost_of(request.data, request.authenticator) <= limit;
  }

  void refuse(ClientId client, ReqNo number, Spread spread, Outcome outcome, auto& out) {
    status_.count(outcome);
    if (!is_from_replica(spread)) out.emit(Replied{client, number, outcome, {}, {}});
  }

  /// The answer says where the client stands, for one that has lost its memory.
  void refuse_number(const Request& request, Spread spread, const Client* client, auto& out) {
    status_.count(Outcome::rejected_window);
    if (is_from_replica(spread)) return;
    const ClientPosition position =
        client ? ClientPosition{client->delivered.low(), client->next()} : ClientPosition{};
    out.emit(Replied{request.client, request.req_no, Outcome::rejected_window, {},
                     wire::encode(position)});
  }

  /// A delivered request is submitted again.
  void answer_again(const Request& request, Spread spread, Client& client, auto& out) {
    if (is_from_replica(spread)) return;
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

    Payload& payload = client.open[origin.req_no.value].payloads.emplace_back();
    payload.ticket = origin.ticket;
    payload.data = std::move(request.data);
    payload.authenticator = std::move(request.authenticator);
    payload.cost = tracker::cost_of(payload.data, payload.authenticator);
    payload.spread = event.spread;
    payload.proposed = event.spread == Spread::fetched;
    ++status_.checking;
    status_.pending_bytes += payload.cost;
  }

  void verify(const RequestRef& reference, Payload& payload, auto& out) {
    payload.stage = Stage::verifying;
    out.emit(VerifyRequestSig{reference, payload.authenticator});
  }

  /// A payload has turned out authentic: those that wait with the same body need no verdict.
  /// Returns the payload, which may have moved.
  Payload& join_waiting(OpenNumber& number, Payload& payload) {
    const Digest digest = payload.digest;
    Payload* verified = &payload;
    while (Payload* other = number.find(Stage::waiting, digest)) {
      verified->join(other->spread);
      verified->proposed = verified->proposed || other->proposed;
      ++status_.repeated;
      drop(number, *other);
      verified = number.find(Stage::verifying, digest);
    }
    return *verified;
  }

  /// Admits an authentic payload, unless the client has signed another one before.
  void decide(const RequestSigVerified& event, OpenNumber& number, Payload& payload, auto& out) {
    const RequestRef& reference = event.reference;
    const bool second = number.find_admitted() != nullptr;
    if (second) ++status_.equivocations;
    if (second && !payload.proposed) {
      refuse(reference.client, reference.req_no, payload.spread, Outcome::rejected_conflict, out);
      return drop(number, payload);
    }
    payload.stage = Stage::admitted;
    Client& client = *find(reference.client);
    client.admitted_end = std::max(client.admitted_end, reference.req_no + 1);
    --status_.checking;
    ++status_.pending;
    ++status_.admitted;
    const auto size = static_cast<std::uint32_t>(payload.data.size());
    out.emit(StoreVerifiedRequest{reference, std::move(payload.data),
                                  std::move(payload.authenticator)})
        .then(RequestReady{reference, size, payload.spread, event.keys});
  }

  void drop(OpenNumber& number, const Payload& payload) {
    write_off(payload);
    number.payloads.erase(number.payloads.begin() + (&payload - number.payloads.data()));
  }

  void drop_unverified(OpenNumber& number) {
    std::erase_if(number.payloads, [this](const Payload& payload) {
      if (payload.stage == Stage::admitted) return false;
      write_off(payload);
      return true;
    });
  }

  /// Takes a number that is closed out of the accounts.
  void release(const OpenNumber& number) noexcept {
    for (const Payload& payload : number.payloads) write_off(payload);
  }

  void write_off(const Payload& payload) noexcept {
    --(payload.stage == Stage::admitted ? status_.pending : status_.checking);
    status_.pending_bytes -= payload.cost;
  }

  /// Nothing is open under a number any more.
  void forget(ClientId id, Client& client, ReqNo req_no) {
    client.open.take(req_no.value);
    forget_if_idle(id, client);
  }
  void forget_if_idle(ClientId id, const Client& client) {
    if (client.lasting || !client.open.empty()) return;
    last_ = nullptr;
    clients_.erase(id);
  }

  /// The windows overtake the App: what they call delivered is closed by its Applied, which is on
  /// the way. After a state transfer there is none, and the submitter is told what is known: at
  /// once, since without requests no other epoch may ever begin.
  void settle_delivered(ClientId id, Client& client, Reached reached, auto& out) {
    client.open.erase_if([&](std::uint64_t req_no, OpenNumber& number) {
      if (!client.delivered.contains(ReqNo(req_no))) return false;
      if (reached == Reached::by_applying) {
        number.awaits_reply = true;
        drop_unverified(number);
        return false;
      }
      release(number);
      out.emit(Replied{id, ReqNo(req_no), Outcome::already_delivered, {}, {}});
      return true;
    });
  }

  /// A client has a new key, or none: what was admitted under the old one may not be ordered any
  /// more. Its submitter hears so, and may sign it anew; what is being checked is checked again.
  void void_admitted(ClientId id, Client& client, Epoch epoch, auto& out) {
    client.rekeyed = epoch;
    client.open.erase_if([&](std::uint64_t req_no, OpenNumber& number) {
      if (number.awaits_reply) return false;
      std::erase_if(number.payloads, [&](const Payload& payload) {
        if (payload.stage != Stage::admitted) return false;
        refuse(id, ReqNo(req_no), payload.spread, Outcome::rejected_signature, out);
        write_off(payload);
        return true;
      });
      return number.payloads.empty();
    });
    forget_if_idle(id, client);
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
