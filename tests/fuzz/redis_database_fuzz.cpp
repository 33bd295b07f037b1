// Any commands at any times: each has exactly one reply, and a database that was restored from a
// checkpoint in between goes on with the same replies, and to the same checkpoint.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../redis/database.hpp"

using namespace redis;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// The chunks of the last checkpoint.
struct Kept {
  std::vector<mirbft::Bytes> chunks;

  void take(Database& database) {
    const mirbft::FrozenChunks frozen = database.freeze();
    chunks.resize(frozen.count);
    for (const std::uint64_t number : frozen.changed) chunks[number] = database.frozen(number);
  }
};

/// A step from a line, the first letter of which says database, protocol and how time goes on.
Order order_of(std::string_view line, std::uint64_t& time) {
  Order order;
  if (line.empty()) return order;
  const auto choice = static_cast<unsigned char>(line.front());
  time += choice % 7 == 6 ? 1500 : choice % 3;
  order.time_ms = time;
  const auto words = split_inline(line.substr(1));
  if (!words || words->empty()) return order;
  Step step{choice % 2U, choice % 5 == 0 ? 3U : 2U, {}};
  for (const std::string& word : *words) step.arguments.emplace_back(std::string_view(word));
  order.steps.push_back(std::move(step));
  return order;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Asked one;
  Asked other;
  Kept kept;
  Kept kept_by_other;
  std::uint64_t time = 1'000'000;
  for (std::size_t round = 1; !rest.empty(); ++round) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const Order order = order_of(line, time);
    const auto replies = one.apply(order);
    require(replies.size() == order.steps.size());
    require(other.apply(order) == replies);
    if (round % 8 != 0) continue;
    kept.take(one.database);
    kept_by_other.take(other.database);
    require(kept.chunks == kept_by_other.chunks);
    other.database.restore(kept.chunks);
  }
  return 0;
}
