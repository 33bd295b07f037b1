// Any requests in any batches, orders or not, with any times: each step has exactly one reply that
// a client can read, and a database that was restored from a checkpoint in between goes on with the
// same results, and to the same checkpoint.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "../redis/database.hpp"

using namespace redis;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes out what stands before the next `end`, or everything.
std::string_view cut(std::string_view& rest, std::string_view end) {
  const std::string_view part = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(part.size() + end.size(), rest.size()));
  return part;
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

/// The first letter says where the step goes; some databases and protocols do not exist.
Step step_of(std::string_view text) {
  const auto choice = static_cast<unsigned char>(text.empty() ? 0 : text.front());
  Step step{choice % 3U == 2 ? choice : choice % 3U, choice / 3 % 4U, {}, choice % 5 == 4};
  if (const auto words = split_inline(text.substr(text.empty() ? 0 : 1)))
    for (const std::string& word : *words) step.arguments.emplace_back(std::string_view(word));
  return step;
}

/// A request from a line, the first letter of which says what it is and how time goes on.
mirbft::Bytes body_of(std::string_view line, std::uint64_t& time) {
  const auto choice = static_cast<unsigned char>(line.empty() ? 0 : line.front());
  std::string_view rest = line.substr(line.empty() ? 0 : 1);
  if (choice % 16 == 15) return mirbft::Bytes(rest);
  time += choice % 7 == 6 ? 1500 : choice % 3;
  Order order;
  order.time_ms = choice % 16 == 14 ? ~std::uint64_t{0} >> (choice / 4) : time;
  while (!rest.empty()) order.steps.push_back(step_of(cut(rest, ";")));
  return mirbft::wire::encode(order);
}

/// Takes out one value, with all that is in it.
void read_reply(std::string_view& rest) {
  require(!rest.empty());
  const char kind = rest.front();
  require(rest.find("\r\n") != std::string_view::npos);
  const std::string line(cut(rest, "\r\n").substr(1));
  if (std::string_view("+-:,#_").find(kind) != std::string_view::npos) return;
  const long size = std::stol(line);
  if (size < 0) return;
  const auto count = static_cast<std::size_t>(size);
  if (kind == '$') {
    require(rest.size() >= count + 2 && rest.substr(count, 2) == "\r\n");
    rest.remove_prefix(count + 2);
    return;
  }
  require(kind == '*' || kind == '~' || kind == '%');
  for (std::size_t item = 0; item < count * (kind == '%' ? 2 : 1); ++item) read_reply(rest);
}

void check(const mirbft::Bytes& body, const mirbft::Bytes& result) {
  using mirbft::wire::Form;
  const auto replies = mirbft::wire::decode<Replies>(result, Form::canonical);
  require(replies.has_value());
  const auto order = mirbft::wire::decode<Order>(body, Form::canonical);
  require(replies->replies.size() <= (order ? order->steps.size() : 0));
  std::size_t bytes = 0;
  for (const mirbft::Bytes& reply : replies->replies) {
    std::string_view rest = reply.text();
    read_reply(rest);
    require(rest.empty());
    bytes += reply.size();
  }
  // Only what would become too long is left for another order.
  require(!order || replies->again || replies->replies.size() == order->steps.size() ||
          bytes >= Database::enough_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Database one;
  Database other;
  Kept kept;
  Kept kept_by_other;
  std::uint64_t time = 1'000'000;
  for (std::uint64_t batch = 1; !rest.empty(); ++batch) {
    std::vector<mirbft::Request> requests;
    for (std::size_t most = batch % 4; !rest.empty() && requests.size() <= most;)
      requests.push_back({{}, {}, body_of(cut(rest, "\n"), time), {}});
    const auto results = one.apply(mirbft::SeqNr(batch), requests);
    require(results.size() == requests.size());
    for (std::size_t at = 0; at < results.size(); ++at) check(requests[at].data, results[at]);
    require(other.apply(mirbft::SeqNr(batch), requests) == results);
    if (batch % 4 != 0) continue;
    kept.take(one);
    kept_by_other.take(other);
    require(kept.chunks == kept_by_other.chunks);
    other.restore(kept.chunks);
  }
  return 0;
}
