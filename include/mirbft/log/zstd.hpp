// Event logs compressed by zstd (RFC 8878): who includes this can write and read them.
#ifndef MIRBFT_LOG_ZSTD_HPP
#define MIRBFT_LOG_ZSTD_HPP

#include <cstddef>
#include <cstdint>
#include <memory>

#include <zstd.h>

#include <mirbft/log/compression.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::log_format {

/// The fastest of zstd's regular levels: recording must not cost much.
inline constexpr int zstd_level = 1;

inline std::size_t zstd_compress(ByteView from, std::uint8_t* to) {
  // Its tables are worth keeping from block to block; each thread records for itself.
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(
      ZSTD_createCCtx(), &ZSTD_freeCCtx);
  // There is room enough, so only memory can be wanting. Then the block stays as it is.
  if (!context) return from.size();
  const std::size_t size = ZSTD_compressCCtx(context.get(), to, ZSTD_compressBound(from.size()),
                                             from.data(), from.size(), zstd_level);
  return ZSTD_isError(size) ? from.size() : size;
}

inline bool zstd_expand(ByteView from, std::uint8_t* to, std::size_t size) {
  return ZSTD_decompress(to, size, from.data(), from.size()) == size;
}

inline constexpr Codec zstd_codec{&ZSTD_compressBound, &zstd_compress, &zstd_expand};

inline const Codec* const zstd_installed = codec_of(Compression::zstd) = &zstd_codec;

}  // namespace mirbft::log_format

#endif
