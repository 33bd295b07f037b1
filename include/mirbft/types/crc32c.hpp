// CRC-32C (Castagnoli), the checksum of everything that lies on a disk.
#ifndef MIRBFT_TYPES_CRC32C_HPP
#define MIRBFT_TYPES_CRC32C_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <mirbft/types/bytes.hpp>

#if defined(__x86_64__) && defined(__GNUC__)
#define MIRBFT_DETAIL_CRC32C_INSTRUCTION 1
#endif

namespace mirbft {
namespace detail {

using Crc32cTables = std::array<std::array<std::uint32_t, 256>, 8>;

/// `tables[k][b]` is the remainder of byte `b` with `k` zero bytes after it.
constexpr Crc32cTables make_crc32c_tables() noexcept {
  constexpr std::uint32_t reflected_polynomial = 0x82f63b78;
  Crc32cTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? reflected_polynomial : 0);
    tables[0][byte] = rest;
  }
  for (std::size_t zeros = 1; zeros < tables.size(); ++zeros)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t shorter = tables[zeros - 1][byte];
      tables[zeros][byte] = shorter >> 8 ^ tables[0][shorter & 255];
    }
  return tables;
}
inline constexpr Crc32cTables crc32c_tables = make_crc32c_tables();

/// Eight bytes a step by eight table look-ups that do not wait for one another ("slicing by 8").
constexpr std::uint32_t crc32c_by_tables(ByteView bytes, std::uint32_t rest) noexcept {
  const Crc32cTables& tables = crc32c_tables;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    rest ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
            static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
    rest = tables[7][rest & 255] ^ tables[6][rest >> 8 & 255] ^ tables[5][rest >> 16 & 255] ^
           tables[4][rest >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
           tables[0][at[7]];
  }
  for (; left != 0; ++at, --left) rest = rest >> 8 ^ tables[0][(rest ^ *at) & 255];
  return rest;
}

#ifdef MIRBFT_DETAIL_CRC32C_INSTRUCTION
/// The same with the processor's own instruction; call it only where SSE 4.2 is there.
__attribute__((target("sse4.2"))) inline std::uint32_t crc32c_by_instruction(
    ByteView bytes, std::uint32_t rest) noexcept {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t wide = rest;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    wide = __builtin_ia32_crc32di(wide, word);
  }
  rest = static_cast<std::uint32_t>(wide);
  for (; left != 0; ++at, --left) rest = __builtin_ia32_crc32qi(rest, *at);
  return rest;
}
#endif

}  // namespace detail

/// The CRC-32C of `bytes` (RFC 3720, appendix B.4). It continues: `crc32c(b, crc32c(a))` is the
/// checksum of `a` followed by `b`. Finds every burst of up to 32 wrong bits; it is no defence
/// against a person who means to deceive.
inline std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0) noexcept {
#ifdef MIRBFT_DETAIL_CRC32C_INSTRUCTION
  if (__builtin_cpu_supports("sse4.2")) return ~detail::crc32c_by_instruction(bytes, ~before);
#endif
  return ~detail::crc32c_by_tables(bytes, ~before);
}

}  // namespace mirbft

#endif
