// A block of an event log in the making.
#ifndef MIRBFT_LOG_BLOCK_BUILDER_HPP
#define MIRBFT_LOG_BLOCK_BUILDER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include <mirbft/events/event.hpp>
#include <mirbft/log/compression.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/wire/encode.hpp>

namespace mirbft::log_format {

/// Bytes that grow at their end, and are not set to zero before they are written.
class Buffer {
 public:
  std::uint8_t* data() noexcept { return bytes_.get(); }
  std::size_t size() const noexcept { return size_; }
  ByteView view() const noexcept { return {bytes_.get(), size_}; }

  /// Adds `count` bytes for the caller to write; returns where they begin, until the next call.
  std::uint8_t* extend(std::size_t count) {
    if (capacity_ - size_ < count) grow(std::max(2 * capacity_, size_ + count));
    return bytes_.get() + std::exchange(size_, size_ + count);
  }
  /// Becomes shorter; gives memory back that only something exceptional has needed.
  void shrink(std::size_t size) {
    size_ = size;
    if (capacity_ > 4 * block_target) grow(std::max(size, 2 * block_target));
  }

 private:
  void grow(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Gathers lists; events are encoded where they will stand.
class BlockBuilder {
 public:
  BlockBuilder() { clear(); }

  bool empty() const noexcept { return header_.events == 0; }
  std::uint32_t events() const noexcept { return header_.events; }
  bool is_full() const noexcept { return block_.size() >= block_target; }
  /// When the first of the lists was dispatched.
  std::uint64_t since() const noexcept { return since_; }
  std::size_t size() const noexcept { return empty() ? 0 : whole_; }

  /// A list that was begun and not ended, as something has failed, is gone.
  void begin_list(Slot slot, std::uint64_t time) {
    list_ = {static_cast<std::uint32_t>(slot.index()), 0, time};
    block_.shrink(whole_);
    block_.extend(ListHeader::size);
  }

  /// To the list that was begun last. `size` is what `wire::encoded_size` says of the event.
  template <class E>
  void add(const E& event, std::size_t size) {
    std::uint8_t* const entry = block_.extend(EntryHeader::size + size);
    EntryHeader{E::number, static_cast<std::uint32_t>(size)}.store(entry);
    wire::encode_into(entry + EntryHeader::size, size, event);
    header_.types |= type_bit(E::number);
    ++list_.events;
  }

  /// A list without events leaves no trace.
  void end_list() {
    if (list_.events == 0) return;
    list_.store(block_.data() + whole_);
    whole_ = block_.size();
    if (empty()) since_ = header_.earliest = header_.latest = list_.time;
    header_.earliest = std::min(header_.earliest, list_.time);
    header_.latest = std::max(header_.latest, list_.time);
    header_.slots = static_cast<std::uint16_t>(header_.slots | 1u << list_.slot);
    header_.events += list_.events;
  }

  /// What to write, valid until the next call; `first` is the index of its first event.
  ByteView finish(std::uint64_t first, Compression compression) {
    header_.kind = Kind::lists;
    header_.first = first;
    return seal(compression);
  }
  /// The same of a block that is the preamble of its log and nothing else, also where a list was
  /// begun, and nothing came of it.
  ByteView finish(ByteView preamble) {
    block_.shrink(whole_);
    std::memcpy(block_.extend(preamble.size()), preamble.data(), preamble.size());
    whole_ = block_.size();
    header_.kind = Kind::preamble;
    return seal(Compression::none);
  }

  void clear() {
    block_.shrink(0);
    block_.extend(BlockHeader::size);
    whole_ = BlockHeader::size;
    header_ = {};
  }

 private:
  ByteView seal(Compression compression) {
    block_.shrink(whole_);
    const ByteView content = block_.view().subspan(BlockHeader::size);
    header_.plain_length = static_cast<std::uint32_t>(content.size());
    Buffer& chosen = compress(content, compression) ? compressed_ : block_;
    const ByteView stored = chosen.view().subspan(BlockHeader::size);
    header_.length = static_cast<std::uint32_t>(stored.size());
    header_.checksum = crc32c(stored);
    header_.store(chosen.data());
    return chosen.view();
  }

  /// False if the content is better left as it is.
  bool compress(ByteView content, Compression compression) {
    header_.compression = Compression::none;
    if (compression == Compression::none || content.size() > longest_compressed) return false;
    const Codec& codec = *codec_of(compression);
    compressed_.shrink(0);
    compressed_.extend(BlockHeader::size + codec.bound(content.size()));
    const std::size_t size = codec.compress(content, compressed_.data() + BlockHeader::size);
    if (size >= content.size()) return false;
    compressed_.shrink(BlockHeader::size + size);
    header_.compression = compression;
    return true;
  }

  Buffer block_;
  Buffer compressed_;
  BlockHeader header_;
  ListHeader list_;
  /// Where the last list that was ended ends.
  std::size_t whole_ = 0;
  std::uint64_t since_ = 0;
};

}  // namespace mirbft::log_format

#endif
