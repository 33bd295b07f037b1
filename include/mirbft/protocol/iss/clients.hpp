// What the protocol knows of each client's requests: ready, proposed, delivered.
#ifndef MIRBFT_PROTOCOL_ISS_CLIENTS_HPP
#define MIRBFT_PROTOCOL_ISS_CLIENTS_HPP

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <mirbft/types/client_window.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/sliding_window.hpp>

namespace mirbft::iss {

/// Whether a proposal waits for a body.
enum class Wanted : std::uint8_t { no, yes };

/// The frozen windows and the state of every request in them. `low` moves only at the end of an
/// epoch, so that all correct replicas judge a proposal alike (protocol, section 2).
///
/// Only an authentic request makes an entry: what a Byzantine leader merely names must neither fill
/// the table nor change what is thought of other proposals.
class Clients {
 public:
  explicit Clients(std::uint64_t window) : window_(window) {}

  enum class Readiness : std::uint8_t { first, again, refused };

  /// A body of `size` bytes is here and authentic. Says whether it is the first one under its
  /// number. Further bodies of an equivocating client are nobody's to propose; they are remembered
  /// where a proposal wants them, and otherwise only so many.
  Readiness ready(const RequestRef& reference, std::uint32_t size, Wanted wanted) {
    Entry* entry = make(reference.client, reference.req_no);
    if (!entry || entry->delivered != never) return Readiness::refused;
    if (!entry->ready) {
      entry->ready = true;
      entry->digest = reference.digest;
      entry->size = size;
      return Readiness::first;
    }
    if (entry->digest == reference.digest) return Readiness::again;
    if (wanted == Wanted::yes || others_.size() < max_others) others_.emplace(reference, size);
    return Readiness::again;
  }
  /// Length of a body that is here; none when it is not.
  std::optional<std::uint32_t> ready_size(const RequestRef& reference) {
    const Entry* entry = find(reference.client, reference.req_no);
    if (entry && entry->ready && entry->digest == reference.digest) return entry->size;
    if (others_.empty()) return std::nullopt;
    const auto other = others_.find(reference);
    return other == others_.end() ? std::nullopt : std::optional(other->second);
  }

  /// A new epoch: what was claimed in the last one is claimed no more.
  void begin_epoch(SeqNr first) {
    first_ = first;
    early_claims_.clear();
  }
  /// Claims a number for the proposal of `sn`. False when it is not open, was delivered before the
  /// epoch, or another proposal of the epoch has it.
  bool claim(SeqNr sn, ClientId client, ReqNo req_no) {
    if (!is_open(client, req_no)) return false;
    Entry* entry = find(client, req_no);
    if (!entry || !entry->used())
      return early_claims_.try_emplace({client, req_no}, sn).second;
    if (entry->claimed > first_.value) return false;
    if (entry->delivered != never && entry->delivered <= first_.value) return false;
    entry->claimed = mark(sn);
    return true;
  }
  /// Which proposal of the epoch has a number whose body is here, if one has.
  std::optional<SeqNr> claimed_by(ClientId client, ReqNo req_no) {
    const Entry* entry = find(client, req_no);
    if (!entry || entry->claimed <= first_.value) return std::nullopt;
    return SeqNr(entry->claimed - 1);
  }
  /// Gives a claim of `sn` back: the proposal turned out to break a rule.
  void unclaim(SeqNr sn, ClientId client, ReqNo req_no) {
    Entry* entry = find(client, req_no);
    if (entry && entry->claimed == mark(sn)) entry->claimed = never;
    const auto early = early_claims_.find({client, req_no});
    if (early != early_claims_.end() && early->second == sn) early_claims_.erase(early);
  }

  /// Notes a delivery. False when the number was delivered before: the protocol has failed.
  bool deliver(SeqNr sn, const RequestRef& reference) {
    Entry* entry = make(reference.client, reference.req_no);
    if (!entry || entry->delivered != never) return false;
    entry->delivered = mark(sn);
    if (!others_.empty()) forget_others(reference);
    return true;
  }
  bool is_delivered(ClientId client, ReqNo req_no) {
    const Window* window = lookup(client);
    if (!window) return false;
    if (req_no.value < window->low()) return true;
    const Entry* entry = window->find(req_no.value);
    return entry && entry->delivered != never;
  }

  /// The end of an epoch: each window slides over its contiguous delivered prefix.
  void slide() {
    for (auto& [client, window] : clients_) {
      std::uint64_t low = window.low();
      for (const Entry* entry = window.find(low); entry && entry->delivered != never;)
        entry = window.find(++low);
      window.advance(low);
    }
  }

  /// The windows as they stand, by ascending client: part of the checkpoint.
  std::vector<ClientWindow> windows() {
    std::vector<ClientWindow> all;
    for (auto& [client, window] : clients_) {
      ClientWindow one{client, ReqNo(window.low()), bitmap(window)};
      if (one.low != ReqNo() || !one.delivered.empty()) all.push_back(std::move(one));
    }
    return all;
  }

  /// The state at the end of an epoch, of a checkpoint that is verified: takes the place of what
  /// was delivered here. A checkpoint says nothing of bodies; those that are here and still of use
  /// stay. `begin_epoch` must follow.
  void restore(const std::vector<ClientWindow>& windows) {
    std::map<ClientId, Window> before = std::exchange(clients_, {});
    last_ = nullptr;
    early_claims_.clear();
    for (const ClientWindow& window : windows) restore(window);
    for (auto& [client, window] : before) keep_bodies(client, window);
    std::erase_if(others_, [&](const auto& other) {
      return is_delivered(other.first.client, other.first.req_no);
    });
  }

  /// A client's key has changed: what is here of its requests and not delivered counts no more.
  /// Call before `begin_epoch`.
  void forget_bodies(ClientId client) {
    if (Window* window = lookup(client))
      window->for_each([](std::uint64_t, Entry& entry) { entry.ready = false; });
    std::erase_if(others_, [&](const auto& other) { return other.first.client == client; });
  }

  std::size_t size() const noexcept { return clients_.size(); }

 private:
  static constexpr std::uint64_t never = 0;
  static constexpr std::uint64_t mark(SeqNr sn) noexcept { return sn.value + 1; }
  /// The mark of the first sequence number: one of some epoch before the current one.
  static constexpr std::uint64_t long_ago = never + 1;
  /// Bodies that equivocating clients may make us remember beside the first.
  static constexpr std::size_t max_others = 4096;

  struct Entry {
    Digest digest{};
    // Both hold `mark(sn)`.
    std::uint64_t claimed = never;
    std::uint64_t delivered = never;
    std::uint32_t size = 0;
    bool ready = false;

    bool used() const noexcept { return ready || delivered != never; }
  };
  using Window = SlidingWindow<Entry, 32>;

  Window* lookup(ClientId client) {
    if (last_ && last_client_ == client) return last_;
    const auto found = clients_.find(client);
    if (found == clients_.end()) return nullptr;
    last_client_ = client;
    return last_ = &found->second;
  }
  Entry* find(ClientId client, ReqNo req_no) {
    Window* window = lookup(client);
    return window ? window->find(req_no.value) : nullptr;
  }
  bool is_open(ClientId client, ReqNo req_no) {
    const Window* window = lookup(client);
    const std::uint64_t low = window ? window->low() : 0;
    return req_no.value >= low && req_no.value - low < window_;
  }
  /// The entry of an open number, made on first use, with the claim that there may be on it; null
  /// outside the window.
  Entry* make(ClientId client, ReqNo req_no) {
    if (!is_open(client, req_no)) return nullptr;
    Window* window = lookup(client);
    if (!window) {
      last_client_ = client;
      window = last_ = &clients_[client];
    }
    Entry& entry = window->at(req_no.value);
    if (!early_claims_.empty() && !entry.used()) {
      const auto early = early_claims_.find({client, req_no});
      if (early != early_claims_.end()) {
        entry.claimed = mark(early->second);
        early_claims_.erase(early);
      }
    }
    return &entry;
  }
  void forget_others(const RequestRef& reference) {
    auto other = others_.lower_bound({reference.client, reference.req_no, Digest{}});
    while (other != others_.end() && other->first.client == reference.client &&
           other->first.req_no == reference.req_no)
      other = others_.erase(other);
  }

  void restore(const ClientWindow& from) {
    Window& window = clients_[from.client];
    window.advance(from.low.value);
    for (std::uint64_t bit = 0; bit < 8 * from.delivered.size(); ++bit)
      if (from.is_delivered(from.low + bit)) window.at(from.low.value + bit).delivered = long_ago;
  }
  void keep_bodies(ClientId client, Window& before) {
    before.for_each([&](std::uint64_t number, const Entry& had) {
      if (!had.ready || had.delivered != never) return;
      Entry* entry = make(client, ReqNo(number));
      if (!entry || entry->delivered != never) return;
      *entry = had;
    });
  }

  static Bytes bitmap(Window& window) {
    std::vector<std::uint8_t> bits;
    window.for_each([&](std::uint64_t number, const Entry& entry) {
      if (entry.delivered == never) return;
      const std::uint64_t bit = number - window.low();
      if (bits.size() <= bit / 8) bits.resize(bit / 8 + 1);
      bits[bit / 8] = static_cast<std::uint8_t>(bits[bit / 8] | (1u << (bit % 8)));
    });
    return Bytes(ByteView(bits));
  }

  std::uint64_t window_;
  SeqNr first_;
  std::map<ClientId, Window> clients_;
  std::map<RequestRef, std::uint32_t> others_;
  /// Claims on numbers of which nothing authentic is here yet: those of one epoch's proposals.
  std::map<std::pair<ClientId, ReqNo>, SeqNr> early_claims_;
  // The last client that was looked up: requests of one client come in runs. Map nodes never move.
  ClientId last_client_;
  Window* last_ = nullptr;
};

}  // namespace mirbft::iss

#endif
