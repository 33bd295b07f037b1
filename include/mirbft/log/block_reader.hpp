// The blocks of an event log, one after another, each whole and undamaged.
#ifndef MIRBFT_LOG_BLOCK_READER_HPP
#define MIRBFT_LOG_BLOCK_READER_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>

namespace mirbft::log_format {

/// A block as it was written.
struct Block {
  /// Where it begins in the file.
  std::uint64_t offset = 0;
  BlockHeader header;
  Bytes content;
};

/// Throws LogError for what is no event log and for damage, as often as it is asked again.
class BlockReader {
 public:
  explicit BlockReader(LogFile file) : file_(std::move(file)) { read_prologue(); }

  const LogFile& file() const noexcept { return file_; }

  /// Nothing at the end of the last whole block, which may move while the log is being written.
  std::optional<Block> next() {
    if (!available(BlockHeader::size)) return std::nullopt;
    const std::optional<BlockHeader> header = BlockHeader::load(peek(BlockHeader::size).data());
    if (!header) file_.fail(at_, "damaged: the header of the block here has a wrong checksum");
    const std::size_t whole = BlockHeader::size + header->length;
    if (!available(whole)) return std::nullopt;
    Bytes content = peek(whole).slice(BlockHeader::size, header->length);
    if (crc32c(content.view()) != header->checksum)
      file_.fail(at_, "damaged: the content of the block here has a wrong checksum");
    return Block{std::exchange(at_, at_ + whole), *header, std::move(content)};
  }

  /// Bytes after the last whole block, once `next` has returned nothing.
  std::uint64_t torn_bytes() const noexcept { return size_ > at_ ? size_ - at_ : 0; }

 private:
  static constexpr std::size_t window_size = std::size_t{1} << 18;

  void read_prologue() {
    std::array<std::uint8_t, prologue_size> expected;
    store_prologue(expected.data());
    const bool whole = available(prologue_size);
    if (size_ == 0) file_.fail(0, "the file is empty: no Node has begun to write to it");
    const Bytes found = peek(whole ? prologue_size : static_cast<std::size_t>(size_));
    if (!std::equal(found.begin(), found.begin() + std::min(found.size(), magic.size()),
                    magic.begin()))
      file_.fail(0, "this is no event log: it does not begin like one");
    if (!whole) file_.fail(size_, "the log is cut off in its very beginning");
    const std::uint8_t* version_at = found.data() + magic.size();
    if (const auto written = get<std::uint32_t>(version_at); written != version)
      file_.fail(magic.size(), "the log has version " + std::to_string(written) +
                                   " of the format, and this program reads only version " +
                                   std::to_string(version));
    at_ = prologue_size;
  }

  /// Whether the file has that many bytes from here on.
  bool available(std::size_t count) {
    if (size_ < at_ + count) size_ = file_.size();
    return size_ >= at_ + count;
  }

  /// The bytes from here on, which must be available. They are read in large pieces.
  Bytes peek(std::size_t count) {
    if (at_ + count > window_at_ + window_.size()) {
      const auto left = static_cast<std::size_t>(size_ - at_);
      const std::size_t size = std::min(std::max(count, window_size), left);
      window_ = Bytes::filled(size, [&](std::uint8_t* to) { file_.read(at_, to, size); });
      window_at_ = at_;
    }
    return window_.slice(static_cast<std::size_t>(at_ - window_at_), count);
  }

  LogFile file_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  Bytes window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace mirbft::log_format

#endif
