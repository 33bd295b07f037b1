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

/// The frozen windows and the state of every request in them. `low` moves only at the end of an
/// epoch, so that all correct replicas judge a proposal alike (protocol, section 2).
class Clients {
 public:
  Clients(std::uint64_t window, std::uint32_t max_clients)
      : window_(window), max_clients_(max_clients) {}

  enum class Readiness : std::uint8_t { first, again, refused };

  /// A body of `size` bytes is here and authentic. Says whether it is the first one under its
  /// number; a second body of an equivocating client is remembered, but it is nobody's to propose.
  Readiness ready(const RequestRef& reference, std::uint32_t size) {
    Entry* entry = open(reference.client, reference.req_no);
    if (!entry || entry->delivered != never) return Readiness::refused;
    if (!entry->ready) {
      entry->ready = true;
      entry->digest = reference.digest;
      entry->size = size;
      return Readiness::first;
    }
    if (entry->digest == reference.digest || others_.size() >= max_others) return Readiness::again;
    others_.emplace(reference, size);
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

  /// Claims a number for the proposal of `sn`, in an epoch that began with `first`. False when it
  /// is not open, was delivered before the epoch, or another proposal of the epoch has it.
  bool claim(SeqNr first, SeqNr sn, ClientId client, ReqNo req_no) {
    Entry* entry = open(client, req_no);
    if (!entry || entry->claimed > first.value) return false;
    if (entry->delivered != never && entry->delivered <= first.value) return false;
    entry->claimed = mark(sn);
    return true;
  }
  /// Gives a claim of `sn` back: the proposal turned out to break a rule.
  void unclaim(SeqNr sn, ClientId client, ReqNo req_no) {
    Entry* entry = find(client, req_no);
    if (entry && entry->claimed == mark(sn)) entry->claimed = never;
  }
  /// The sequence number whose proposal claims this number, if any does since `first`.
  std::optional<SeqNr> claimed_by(SeqNr first, ClientId client, ReqNo req_no) {
    const Entry* entry = find(client, req_no);
    if (!entry || entry->claimed <= first.value) return std::nullopt;
    return SeqNr(entry->claimed - 1);
  }

  /// Notes a delivery. False when the number was delivered before: the protocol has failed.
  bool deliver(SeqNr sn, const RequestRef& reference) {
    Entry* entry = open(reference.client, reference.req_no);
    if (!entry || entry->delivered != never) return false;
    entry->delivered = mark(sn);
    return true;
  }
  bool is_delivered(ClientId client, ReqNo req_no) {
    const auto found = lookup(client);
    if (!found) return false;
    if (req_no.value < found->low()) return true;
    const Entry* entry = found->find(req_no.value);
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
    std::erase_if(others_, [&](const auto& other) {
      return is_delivered(other.first.client, other.first.req_no);
    });
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

  std::size_t size() const noexcept { return clients_.size(); }

 private:
  static constexpr std::uint64_t never = 0;
  static constexpr std::uint64_t mark(SeqNr sn) noexcept { return sn.value + 1; }
  /// Bodies that equivocating clients may make us remember beside the first.
  static constexpr std::size_t max_others = 4096;

  struct Entry {
    Digest digest{};
    // Both hold `mark(sn)`.
    std::uint64_t claimed = never;
    std::uint64_t delivered = never;
    std::uint32_t size = 0;
    bool ready = false;
  };
  using Window = SlidingWindow<Entry>;

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
  /// The entry of an open number, made on first use; null outside the window.
  Entry* open(ClientId client, ReqNo req_no) {
    Window* window = lookup(client);
    if (!window) {
      if (clients_.size() >= max_clients_ || req_no.value >= window_) return nullptr;
      last_client_ = client;
      window = last_ = &clients_[client];
    }
    if (req_no.value < window->low() || req_no.value - window->low() >= window_) return nullptr;
    return &window->at(req_no.value);
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
  std::uint32_t max_clients_;
  std::map<ClientId, Window> clients_;
  std::map<RequestRef, std::uint32_t> others_;
  // The last client that was looked up: requests of one client come in runs. Map nodes never move.
  ClientId last_client_;
  Window* last_ = nullptr;
};

}  // namespace mirbft::iss

#endif
