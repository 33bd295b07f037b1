// Reads an event log, also one that is still being written or whose writer was killed.
#ifndef MIRBFT_LOG_READER_HPP
#define MIRBFT_LOG_READER_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/log/block_reader.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/decode.hpp>

namespace mirbft {

/// An event log from its first event to its last. A block is checked before its first event comes
/// out. Throws LogError for what is no log and for damage; what came before is good.
class LogReader {
 public:
  using EventType = log_format::EventType;

  explicit LogReader(std::string path) : blocks_(LogFile::open(std::move(path))) {
    std::optional<log_format::Block> first = blocks_.next();
    if (!first)
      fail(log_format::prologue_size, "the log is cut off before it says what its events are");
    if (first->header.kind != log_format::Kind::preamble)
      fail(first->offset, "the log does not say what its events are");
    const wire::DecodeError error =
        wire::decode_into(preamble_, first->content, wire::Form::lenient);
    if (error != wire::DecodeError::none)
      fail(first->offset,
           "what the log says of its events is " + std::string(wire::to_string(error)));
    std::ranges::sort(preamble_.types, {}, &EventType::number);
  }

  const std::string& path() const noexcept { return blocks_.file().path(); }
  /// Whose log it is.
  NodeId node() const noexcept { return preamble_.node; }
  const Bytes& cluster() const noexcept { return preamble_.cluster; }
  /// A serialized google.protobuf.FileDescriptorSet.
  const Bytes& schema() const noexcept { return preamble_.schema; }
  /// Every event type that the Node could see, by ascending number.
  const std::vector<EventType>& types() const noexcept { return preamble_.types; }
  /// What the Node was made of; empty where the log does not know.
  const std::vector<ModuleDescription>& modules() const noexcept { return preamble_.modules; }

  /// The next event; nothing at the end of the last whole block. Ask again when the log has grown.
  std::optional<LogEvent> next() {
    while (content_.empty())
      if (!open_block()) return std::nullopt;
    return take_event();
  }

  /// The event as a C++ value; throws LogError when `E` is another type or cannot hold it.
  template <class E>
  E decode(const LogEvent& event) const {
    std::optional<E> value = event.as<E>();
    if (!value) fail(event.offset, std::string(event.name) + " is not as this program knows it");
    return std::move(*value);
  }

  /// Bytes after the last whole block, once `next` has returned nothing: the list at which the
  /// writer was killed, or is just now.
  std::uint64_t torn_bytes() const noexcept { return blocks_.torn_bytes(); }

 private:
  [[noreturn]] void fail(std::uint64_t offset, std::string why) const {
    blocks_.file().fail(offset, std::move(why));
  }

  bool open_block() {
    std::optional<log_format::Block> block = blocks_.next();
    if (!block) return false;
    const log_format::BlockHeader& header = block->header;
    if (header.kind != log_format::Kind::list || header.slot >= slot_count)
      fail(block->offset, "damaged: no list of events where one must be");
    if (started_ && header.first != next_index_)
      fail(block->offset, "damaged: event " + std::to_string(header.first) + " follows where " +
                              std::to_string(next_index_) + " must");
    started_ = true;
    next_index_ = header.first;
    time_ = header.time;
    slot_ = Slot(static_cast<std::uint16_t>(1u << header.slot));
    content_ = std::move(block->content);
    content_at_ = block->offset + log_format::BlockHeader::size;
    return true;
  }

  LogEvent take_event() {
    using log_format::EntryHeader;
    if (content_.size() < EntryHeader::size) fail(content_at_, "damaged: half an event");
    const EntryHeader header = EntryHeader::load(content_.data());
    const std::size_t whole = EntryHeader::size + std::size_t{header.length};
    if (content_.size() < whole) fail(content_at_, "damaged: the event reaches beyond its block");
    LogEvent event{next_index_, slot_, header.number, name_of(header.number),
                   content_.slice(EntryHeader::size, header.length), content_at_, time_};
    content_ = content_.slice(whole, content_.size() - whole);
    content_at_ += whole;
    ++next_index_;
    return event;
  }

  std::string_view name_of(std::uint32_t number) const {
    const auto& types = preamble_.types;
    const auto found = std::ranges::lower_bound(types, number, {}, &EventType::number);
    if (found == types.end() || found->number != number)
      fail(content_at_,
           "damaged: event number " + std::to_string(number) + " is not among the log's types");
    return found->name;
  }

  log_format::BlockReader blocks_;
  log_format::Preamble preamble_;
  bool started_ = false;
  std::uint64_t next_index_ = 0;
  std::uint64_t time_ = 0;
  Slot slot_ = slot::node;
  Bytes content_;
  std::uint64_t content_at_ = 0;
};

}  // namespace mirbft

#endif
