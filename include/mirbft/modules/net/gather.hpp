// Many frames as a few pieces of memory, for one gathered write.
#ifndef MIRBFT_MODULES_NET_GATHER_HPP
#define MIRBFT_MODULES_NET_GATHER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <mirbft/modules/net/framing.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft {

/// Collects frames until one write is worth its system call. Short payloads are copied behind one
/// another: a vector of 32 pieces of 100 bytes costs more than copying them, and TLS makes a
/// record of each piece. Long payloads are held and pointed to.
class GatheredFrames {
 public:
  static constexpr std::size_t staging_size = 64 * 1024;
  static constexpr std::size_t copied_up_to = 4 * 1024;
  static constexpr std::size_t enough_held = 1024 * 1024;

  /// Whether any frame may be added; the last one may be as long as its limit.
  bool has_room() const noexcept {
    return staged_ + FrameHeader{}.size() + copied_up_to <= staging_size && held_ < enough_held;
  }

  void add(FrameKind kind, Bytes payload) {
    messages_ += is_message(kind) ? 1 : 0;
    const FrameHeader header = frame_header(kind, payload.size());
    stage(header);
    if (payload.size() <= copied_up_to) {
      stage(payload.view());
    } else {
      cut();
      held_ += payload.size();
      pieces_.push_back(payload.view());
      payloads_.push_back(std::move(payload));
    }
  }

  /// What to write, in this order; valid until the next call of `add` or `clear`.
  const std::vector<ByteView>& pieces() {
    cut();
    return pieces_;
  }

  void clear() noexcept {
    pieces_.clear();
    payloads_.clear();
    staged_ = cut_ = held_ = messages_ = 0;
  }

  bool empty() const noexcept { return staged_ == 0; }
  /// How many of the frames carry messages of the Node.
  std::size_t messages() const noexcept { return messages_; }

 private:
  void stage(ByteView content) noexcept {
    std::copy(content.begin(), content.end(), staging_.get() + staged_);
    staged_ += content.size();
  }

  /// Ends the piece that what was staged since the last cut makes.
  void cut() {
    if (staged_ > cut_) pieces_.push_back(ByteView(staging_.get() + cut_, staged_ - cut_));
    cut_ = staged_;
  }

  std::unique_ptr<std::uint8_t[]> staging_ =
      std::make_unique_for_overwrite<std::uint8_t[]>(staging_size);
  std::vector<ByteView> pieces_;
  std::vector<Bytes> payloads_;
  std::size_t staged_ = 0;
  std::size_t cut_ = 0;
  std::size_t held_ = 0;
  std::size_t messages_ = 0;
};

}  // namespace mirbft

#endif
