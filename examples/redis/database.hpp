// The App: Redis' data as a function of the orders alone, the same at every replica.
#ifndef MIRBFT_EXAMPLES_REDIS_DATABASE_HPP
#define MIRBFT_EXAMPLES_REDIS_DATABASE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

#include "checkpoint.hpp"
#include "command_table.hpp"
#include "order.hpp"

namespace redis {

/// A chunked App. The body of a request is an `Order`, its result are `Replies`.
///
/// The clock is the latest time that an order has brought, so it never goes back, and no key lives
/// longer than its time because a gateway's clock is behind. It begins with the first time that it
/// is told; since then all orders that are decided together move it by `longest_step` at most. So
/// a gateway whose clock is wrong by years ends the keys of a day, and no more before somebody
/// looks; after a pause of many days, as many batches pass until the clock is right again.
class Database {
 public:
  /// The end of the year 9999. Later times, from which the arithmetic would overflow, are ignored.
  static constexpr Time latest_time = 253'402'300'799'999;
  static constexpr Time longest_step = Time{24} * 60 * 60 * 1000;

  /// A result must fit a frame. So no further transaction or command begins after replies of
  /// `enough_bytes`; and a reply that makes them more than `most_bytes` is replaced by an error,
  /// although the command was applied. One of 2 MiB always fits, unless a transaction has others.
  static constexpr std::size_t enough_bytes = std::size_t{1} << 20;
  static constexpr std::size_t most_bytes = std::size_t{3} << 20;
  /// Whatever came before it, a step of a transaction may answer this much.
  static constexpr std::size_t short_reply = 64;
  /// Results are held until clients have taken them: once those of a batch are as long, the rest
  /// of its orders is not applied, and told to come again.
  static constexpr std::size_t enough_of_batch = std::size_t{8} << 20;

  std::vector<mirbft::Bytes> apply(mirbft::SeqNr, std::span<const mirbft::Request> requests) {
    std::vector<mirbft::Bytes> results;
    results.reserve(requests.size());
    std::size_t bytes = 0;
    const Time latest = now_ == 0 ? latest_time : std::min(now_ + longest_step, latest_time);
    for (const mirbft::Request& request : requests) {
      const Replies made =
          bytes < enough_of_batch ? apply(request.data, latest) : Replies{{}, true};
      results.push_back(mirbft::wire::encode(made));
      bytes += results.back().size();
    }
    return results;
  }

  mirbft::FrozenChunks freeze() {
    for (std::uint32_t number = 0; number < database_count; ++number)
      for (const Key& key : keys_[number].take_changed())
        checkpoint_.put(number, key.text, keys_[number].find(key.text));
    checkpoint_.put({now_, random_.state()});
    return checkpoint_.freeze();
  }
  mirbft::Bytes frozen(std::uint64_t number) { return checkpoint_.frozen(number); }
  /// Throws ModuleFailure; then nothing has changed.
  void restore(std::span<const mirbft::Bytes> chunks) {
    Database read;
    read.checkpoint_.restore(chunks);
    const CheckpointHeader header = read.checkpoint_.header();
    read.now_ = header.now;
    read.random_ = Random(header.random);
    read.checkpoint_.for_each([&](std::uint32_t number, std::string_view key, Entry entry) {
      if (number >= database_count) throw Checkpoint::unreadable();
      Keyspace& keys = read.keys_[number];
      keys.put(key, std::move(entry.value));
      if (entry.expires) keys.expire_at(key, entry.expires);
    });
    for (Keyspace& keys : read.keys_) keys.take_changed();
    *this = std::move(read);
  }

  /// For tests and figures.
  const Keyspace& keys(std::uint32_t database = 0) const { return keys_[database]; }
  Time now() const noexcept { return now_; }

 private:
  Replies apply(const mirbft::Bytes& body, Time latest) {
    const auto order = mirbft::wire::decode<Order>(body, mirbft::wire::Form::canonical);
    if (!order) return {};
    if (order->time_ms <= static_cast<std::uint64_t>(latest_time))
      now_ = std::max(now_, std::min(static_cast<Time>(order->time_ms), latest));
    Replies made;
    made.replies.reserve(order->steps.size());
    std::size_t bytes = 0;
    for (const Step& step : order->steps) {
      if (bytes >= enough_bytes && !step.continues) break;
      // Also between steps: a key may be set with a time that is over.
      for (Keyspace& keys : keys_) keys.expire(now_);
      ReplyWriter reply(step.protocol == 3 ? Protocol::resp3 : Protocol::resp2,
                        std::max(most_bytes - std::min(bytes, most_bytes), short_reply));
      execute(step, reply);
      if (reply.overflowed()) {
        // What follows in this order is not to try the same.
        bytes = std::max(bytes, most_bytes);
        made.replies.emplace_back(std::string_view("-ERR the reply is too long for a request\r\n"));
      } else {
        made.replies.emplace_back(std::string_view(reply.take()));
        bytes += made.replies.back().size();
      }
    }
    return made;
  }

  void execute(const Step& step, ReplyWriter& reply) {
    std::string error = "ERR no such command in an order";
    const CommandSpec* spec =
        step.arguments.empty() ? nullptr : resolve(step.arguments, error);
    if (!spec || !spec->ordered || step.database >= database_count) return reply.error(error);
    Call call{spec->name, step.arguments, keys_[step.database], keys_, now_, random_, reply};
    spec->ordered(call);
  }

  std::array<Keyspace, database_count> keys_;
  Time now_ = 0;
  Random random_;
  Checkpoint checkpoint_;
};

}  // namespace redis

#endif
