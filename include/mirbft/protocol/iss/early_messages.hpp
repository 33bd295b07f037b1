// Messages of the next epochs from replicas that are ahead, kept within a bound for each of them.
#ifndef MIRBFT_PROTOCOL_ISS_EARLY_MESSAGES_HPP
#define MIRBFT_PROTOCOL_ISS_EARLY_MESSAGES_HPP

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <mirbft/events/protocol.hpp>

namespace mirbft::iss {

/// So far ahead of the own epoch messages are kept: others may be two epochs ahead before they
/// have a stable checkpoint, and a busy replica may be two behind for a moment.
inline constexpr std::uint64_t epochs_ahead_kept = 4;

/// Messages in the order of their arrival, counted in bytes by sender.
template <class Message>
class EarlyMessages {
 public:
  EarlyMessages(std::size_t members, std::uint64_t bytes_per_peer)
      : bytes_(members), bytes_per_peer_(bytes_per_peer) {}

  /// False when the sender has no room left.
  bool keep(std::size_t member, MessageReceived<Message> message, std::size_t size) {
    if (bytes_[member] + size > bytes_per_peer_) return false;
    bytes_[member] += size;
    messages_.push_back(std::move(message));
    return true;
  }
  std::vector<MessageReceived<Message>> take() {
    bytes_.assign(bytes_.size(), 0);
    return std::exchange(messages_, {});
  }
  std::uint64_t bytes() const noexcept {
    return std::accumulate(bytes_.begin(), bytes_.end(), std::uint64_t{0});
  }

 private:
  std::vector<std::uint64_t> bytes_;
  std::uint64_t bytes_per_peer_;
  std::vector<MessageReceived<Message>> messages_;
};

}  // namespace mirbft::iss

#endif
