// The events of a block of an event log.
#ifndef MIRBFT_LOG_BLOCK_EVENTS_HPP
#define MIRBFT_LOG_BLOCK_EVENTS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <mirbft/events/event.hpp>
#include <mirbft/log/block_reader.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::log_format {

/// Walks through a block whose checksum was right. What does not fit nonetheless goes to
/// `fail(offset, reason)`, which must throw.
class BlockEvents {
 public:
  BlockEvents() = default;
  explicit BlockEvents(Block block)
      : content_(std::move(block.content)),
        header_(block.header),
        left_(block.header.events),
        index_(block.header.first),
        offset_(block.offset) {}

  /// Whether all events are taken; then nothing else may be left of the block.
  template <class Fail>
  bool is_at_end(const Fail& fail) const {
    if (left_ == 0 && (left_of_list_ != 0 || at_ != content_.size()))
      fail(offset_, "damaged: the block here holds more than its header says");
    return left_ == 0;
  }

  /// The next event, whose name the caller sets; there must be one.
  template <class Fail>
  LogEvent front(const Fail& fail) {
    while (left_of_list_ == 0) begin_list(fail);
    if (rest() < EntryHeader::size) fail(here(), "damaged: half an event");
    const EntryHeader header = EntryHeader::load(content_.data() + at_);
    if (rest() - EntryHeader::size < header.length)
      fail(here(), "damaged: the event reaches beyond its block");
    if (header.length > longest_event) fail(here(), "damaged: no event is as long as this one");
    if ((header_.types & type_bit(header.number)) == 0)
      fail(here(), "damaged: the block's header leaves out the type of this event");
    const std::size_t begin = at_ + EntryHeader::size;
    return {index_, slot_, header.number, {}, content_.slice(begin, header.length),
            here(), time_};
  }
  /// Goes on to the event after `front`.
  void drop(const LogEvent& front) noexcept {
    at_ += EntryHeader::size + front.payload.size();
    ++index_;
    --left_;
    --left_of_list_;
  }

  /// Of the event that would be taken next.
  std::uint64_t index() const noexcept { return index_; }
  /// Events that are not taken yet.
  std::uint32_t left() const noexcept { return left_; }

 private:
  std::size_t rest() const noexcept { return content_.size() - at_; }
  /// What is compressed has no other place in the file than its block's.
  std::uint64_t here() const noexcept {
    const bool compressed = header_.compression != Compression::none;
    return compressed ? offset_ : offset_ + BlockHeader::size + at_;
  }

  template <class Fail>
  void begin_list(const Fail& fail) {
    if (rest() < ListHeader::size) fail(here(), "damaged: half a list");
    const ListHeader header = ListHeader::load(content_.data() + at_);
    if (header.slot >= slot_count) fail(here(), "damaged: a list for no slot that there is");
    slot_ = Slot(static_cast<std::uint16_t>(1u << header.slot));
    // Who looks for something leaves blocks out by what their headers say.
    if ((header_.slots & slot_.bits()) == 0 || header.time < header_.earliest ||
        header.time > header_.latest)
      fail(here(), "damaged: the block's header leaves out this list");
    time_ = header.time;
    left_of_list_ = header.events;
    at_ += ListHeader::size;
  }

  Bytes content_;
  BlockHeader header_;
  std::size_t at_ = 0;
  std::uint32_t left_ = 0;
  std::uint32_t left_of_list_ = 0;
  std::uint64_t index_ = 0;
  std::uint64_t time_ = 0;
  std::uint64_t offset_ = 0;
  Slot slot_ = slot::node;
};

}  // namespace mirbft::log_format

#endif
