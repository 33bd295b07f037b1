// A write-ahead log that forgets everything: for measuring, and for nodes that never restart.
#ifndef MIRBFT_MODULES_WAL_NULL_HPP
#define MIRBFT_MODULES_WAL_NULL_HPP

#include <cstdint>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Keeps nothing. A node that restarts with it has forgotten its votes, and so may vote twice:
/// it counts as faulty from its first restart on.
class NullWal {
 public:
  /// Entries for it are not even encoded.
  static constexpr bool discards = true;

  void append(std::uint32_t, const Bytes&, RetentionIndex) noexcept {}
  void sync() noexcept {}
  void truncate(RetentionIndex) noexcept {}
  template <class F>
  void replay(F&&) noexcept {}
};

}  // namespace mirbft

#endif
