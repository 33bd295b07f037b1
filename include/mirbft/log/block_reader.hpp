// The blocks of one file of an event log, one after another, each whole and undamaged.
#ifndef MIRBFT_LOG_BLOCK_READER_HPP
#define MIRBFT_LOG_BLOCK_READER_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <mirbft/log/compression.hpp>
#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/crc32c.hpp>

namespace mirbft::log_format {

/// A block as it was written, but no more compressed.
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
  /// Where the next block begins.
  std::uint64_t offset() const noexcept { return at_; }

  /// Of the next block, which is there as a whole. Nothing at the end of the last whole block,
  /// which may move while the log is being written.
  std::optional<BlockHeader> peek_header() {
    if (!available(BlockHeader::size)) return std::nullopt;
    const std::optional<BlockHeader> header = BlockHeader::load(peek(BlockHeader::size).data());
    if (!header) file_.fail(at_, "damaged: the header of the block here has a wrong checksum");
    if (!available(BlockHeader::size + std::size_t{header->length})) return std::nullopt;
    return header;
  }

  /// The block whose header was seen.
  Block take(const BlockHeader& header) {
    ahead_ = whole_window;
    const std::size_t whole = BlockHeader::size + std::size_t{header.length};
    const Bytes stored = peek(whole).slice(BlockHeader::size, header.length);
    if (crc32c(stored.view()) != header.checksum)
      file_.fail(at_, "damaged: the content of the block here has a wrong checksum");
    Block block{at_, header, expand(header, stored)};
    at_ += whole;
    return block;
  }

  /// Leaves the block whose header was seen. What nobody needs is not even read from the disk.
  void skip(const BlockHeader& header) {
    at_ += BlockHeader::size + std::uint64_t{header.length};
    ahead_ = at_ > window_at_ + window_.size() ? small_window : whole_window;
  }

  std::optional<Block> next() {
    const std::optional<BlockHeader> header = peek_header();
    if (!header) return std::nullopt;
    return take(*header);
  }

  /// Bytes after the last whole block, once there is no next one.
  std::uint64_t torn_bytes() const noexcept { return size_ > at_ ? size_ - at_ : 0; }

 private:
  static constexpr std::size_t whole_window = std::size_t{1} << 18;
  static constexpr std::size_t small_window = std::size_t{1} << 12;

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
    if (at_ < window_at_ || at_ + count > window_at_ + window_.size()) {
      const auto left = static_cast<std::size_t>(size_ - at_);
      const std::size_t size = std::min(std::max(count, ahead_), left);
      window_ = Bytes::filled(size, [&](std::uint8_t* to) { file_.read(at_, to, size); });
      window_at_ = at_;
    }
    return window_.slice(static_cast<std::size_t>(at_ - window_at_), count);
  }

  Bytes expand(const BlockHeader& header, const Bytes& stored) const {
    if (header.compression == Compression::none) return stored;
    if (!is_known(header.compression))
      file_.fail(at_, "the block here is compressed in a way that this program does not know");
    if (!is_available(header.compression))
      file_.fail(at_, "the log is compressed by " + std::string(to_string(header.compression)) +
                          ", and this program is built without it");
    bool sound = header.plain_length != 0 && header.plain_length <= longest_compressed;
    const Bytes content = Bytes::filled(sound ? header.plain_length : 0, [&](std::uint8_t* to) {
      sound = codec_of(header.compression)->expand(stored.view(), to, header.plain_length);
    });
    if (!sound) file_.fail(at_, "damaged: what is compressed here does not expand");
    return content;
  }

  LogFile file_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  std::size_t ahead_ = whole_window;
  Bytes window_;
  std::uint64_t window_at_ = 0;
};

}  // namespace mirbft::log_format

#endif
