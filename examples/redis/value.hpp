// What a key may hold: a string, a list, a set, a hash or a sorted set.
#ifndef MIRBFT_EXAMPLES_REDIS_VALUE_HPP
#define MIRBFT_EXAMPLES_REDIS_VALUE_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace redis {

using List = std::deque<std::string>;
using Hash = std::map<std::string, std::string, std::less<>>;

/// Members in an order that the changes alone have made, so that one can be picked by its place.
class Set {
 public:
  Set() = default;
  Set(Set&&) = default;
  Set& operator=(Set&&) = default;

  /// Returns whether it is new.
  bool insert(std::string_view member) {
    const auto [at, is_new] = places_.try_emplace(std::string(member), members_.size());
    if (is_new) members_.push_back(at);
    return is_new;
  }
  /// The last member takes the place of this one. Returns whether it was there.
  bool erase(std::string_view member) {
    const auto at = places_.find(member);
    if (at == places_.end()) return false;
    members_.back()->second = at->second;
    members_[at->second] = members_.back();
    members_.pop_back();
    places_.erase(at);
    return true;
  }
  bool contains(std::string_view member) const { return places_.find(member) != places_.end(); }
  std::size_t size() const noexcept { return members_.size(); }
  bool empty() const noexcept { return members_.empty(); }
  const std::string& operator[](std::size_t place) const { return members_[place]->first; }

 private:
  using Places = std::map<std::string, std::size_t, std::less<>>;
  Places places_;
  std::vector<Places::iterator> members_;
};

/// Members with scores, by member and by score.
class SortedSet {
 public:
  using ByScore = std::set<std::pair<double, std::string>>;

  std::optional<double> score(std::string_view member) const {
    const auto at = scores_.find(member);
    return at == scores_.end() ? std::nullopt : std::optional(at->second);
  }
  /// Adds the member or moves it. The score is not NaN.
  void set(std::string_view member, double score) {
    erase(member);
    scores_.emplace(member, score);
    by_score_.emplace(score, member);
  }
  void erase(std::string_view member) {
    const auto at = scores_.find(member);
    if (at == scores_.end()) return;
    by_score_.erase({at->second, at->first});
    scores_.erase(at);
  }
  const ByScore& by_score() const noexcept { return by_score_; }
  std::size_t size() const noexcept { return scores_.size(); }
  bool empty() const noexcept { return scores_.empty(); }

 private:
  std::map<std::string, double, std::less<>> scores_;
  ByScore by_score_;
};

using Value = std::variant<std::string, List, Set, Hash, SortedSet>;

/// As TYPE says it.
inline std::string_view type_name(const Value& value) {
  static constexpr std::string_view names[] = {"string", "list", "set", "hash", "zset"};
  return names[value.index()];
}

}  // namespace redis

#endif
