// What a write-ahead log may and must hold, whatever has happened to its disk.
#ifndef MIRBFT_TESTS_SUPPORT_LOG_ORACLE_HPP
#define MIRBFT_TESTS_SUPPORT_LOG_ORACLE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::testing {

/// Drives a log and keeps account: what was synced and not truncated must be there, and nothing but
/// what was appended, in its order, without a gap.
class LogOracle {
 public:
  static constexpr RetentionIndex for_ever{~std::uint64_t{0}};

  void append(auto& wal, std::size_t size, RetentionIndex retention) {
    std::string content = std::to_string(entries_.size());
    content.resize(std::max(size, content.size()), static_cast<char>('a' + entries_.size() % 26));
    const auto type = static_cast<std::uint32_t>(entries_.size() % 5);
    entries_.push_back({type, Bytes(content), retention});
    wal.append(type, entries_.back().content, retention);
  }
  void sync(auto& wal) {
    wal.sync();
    synced_ = entries_.size();
  }
  void truncate(auto& wal, RetentionIndex low) {
    low_ = std::max(low_, low);
    wal.truncate(low);
  }

  /// Some of everything, in steps that the seed decides.
  void work(auto& wal, sim::Random random, std::size_t steps, std::size_t longest) {
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t count = random.below(4); count != 0; --count)
        append(wal, random.below(longest), retention(random));
      sync(wal);
      epoch_ += random.chance(300);
      if (random.chance(200)) truncate(wal, RetentionIndex(epoch_));
    }
  }

  /// Empty if the log is right; otherwise what is wrong with it.
  std::string fault_of(auto& wal) {
    std::vector<Entry> found;
    wal.replay([&](std::uint32_t type, const Bytes& content) {
      found.push_back({type, content, {}});
    });
    auto next = found.begin();
    bool has_ended = false;
    std::vector<Entry> left;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      const bool is_there = next != found.end() && next->type == entry.type &&
                            next->content == entry.content;
      if (is_there && has_ended) return "entry " + std::to_string(i) + " stands behind a gap";
      if (is_there) left.push_back(entry);
      next += is_there;
      if (is_there || entry.retention < low_) continue;
      if (i < synced_) return "entry " + std::to_string(i) + " was synced and is lost";
      has_ended = true;
    }
    if (next != found.end()) return "there is an entry that nobody appended: " + text_of(*next);
    // From here on, this is what there is.
    entries_ = std::move(left);
    synced_ = entries_.size();
    return {};
  }

  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::uint32_t type = 0;
    Bytes content;
    RetentionIndex retention;
  };

  RetentionIndex retention(sim::Random& random) const {
    if (random.chance(50)) return for_ever;
    return RetentionIndex(epoch_ + (random.chance(100) ? 5 : 0));
  }
  static std::string text_of(const Entry& entry) {
    return std::string(entry.content.text().substr(0, 16));
  }

  std::vector<Entry> entries_;
  std::size_t synced_ = 0;
  RetentionIndex low_;
  std::uint64_t epoch_ = 0;
};

}  // namespace mirbft::testing

#endif
