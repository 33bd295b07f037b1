// The write-ahead log of a node that may be faulty.
#ifndef MIRBFT_SIM_ADVERSARY_WAL_HPP
#define MIRBFT_SIM_ADVERSARY_WAL_HPP

#include <cstddef>
#include <cstdint>
#include <utility>

#include <mirbft/sim/adversary/adversary.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// A Wal that an adversary makes its node forget. Without one it is the Wal that it wraps.
template <class Inner>
class Forgetful {
 public:
  /// `adversary` may be null, and must outlive the Wal.
  explicit Forgetful(Inner wal, Adversary* adversary = nullptr)
      : wal_(std::move(wal)), adversary_(adversary) {}

  void append(std::uint32_t type, Bytes entry, RetentionIndex retention) {
    if (adversary_ && adversary_->crashes()) throw ModuleFailure("the adversary wants it so");
    wal_.append(type, std::move(entry), retention);
  }
  void sync() { wal_.sync(); }
  void truncate(RetentionIndex index) { wal_.truncate(index); }

  template <class F>
  void replay(F&& f) {
    if (!adversary_) return wal_.replay(f);
    std::size_t records = 0;
    wal_.replay([&](std::uint32_t, const Bytes&) { ++records; });
    std::size_t left = adversary_->remembers(records);
    wal_.replay([&](std::uint32_t type, const Bytes& entry) {
      if (left != 0) --left, f(type, entry);
    });
  }

  auto status() const { return wal_.status(); }

 private:
  Inner wal_;
  Adversary* adversary_;
};

}  // namespace mirbft::sim

#endif
