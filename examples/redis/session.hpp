// One connection without its socket: bytes in, orders out to the cluster, replies in order back.
#ifndef MIRBFT_EXAMPLES_REDIS_SESSION_HPP
#define MIRBFT_EXAMPLES_REDIS_SESSION_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/codec.hpp>

#include "command_parser.hpp"
#include "command_table.hpp"
#include "order.hpp"

namespace redis {

/// How an order ended: with a result, which are `Replies`, or without one, and why.
struct Answer {
  std::optional<mirbft::Bytes> result;
  std::string_view why;  ///< lasts for ever
};

/// Where a session's orders go: `submit(body, answered)` has the cluster apply the body, and calls
/// `answered(Answer)` once, later, on the session's thread; never once the session is gone.
template <class O>
concept IsOrders = requires(O& orders, mirbft::Bytes body, void (*answered)(const Answer&)) {
  orders.submit(std::move(body), answered);
};

/// What a connection may use.
struct SessionLimits {
  /// Of an order: a request must be no longer than the replicas admit.
  std::size_t order_bytes = 60 * 1024;
  /// Of commands that have been read and replies that have not been taken. Beyond these nothing is
  /// read or ordered; what comes in between is one command, or the result of one order.
  std::size_t pending_bytes = 256 * 1024;
  std::size_t output_bytes = 1024 * 1024;
};

/// A connection's logic. One order is under way at a time; what comes meanwhile goes together into
/// the next one. So the commands of a connection are applied in their order, whatever the cluster
/// does with different requests of a client, and a pipeline costs few requests.
template <IsOrders Orders>
class Session {
 public:
  /// Milliseconds since 1970.
  using WallClock = std::uint64_t (*)();

  Session(Orders& orders, std::uint64_t id, WallClock clock, SessionLimits limits = {})
      : orders_(orders),
        clock_(clock),
        limits_(limits),
        parser_(ParserLimits{.command_bytes = limits.order_bytes - order_overhead}) {
    connection_.id = id;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Bytes have come.
  void receive(std::string_view bytes) {
    parser_.feed(bytes);
    proceed();
  }
  /// Whether more bytes may come now. If not, ask again after an answer, or after `take_output`.
  bool wants_input() const noexcept {
    return !closing_ && pending_bytes_ < limits_.pending_bytes &&
           output_.size() < limits_.output_bytes;
  }
  /// What is to be sent; afterwards the session goes on with what it has left to read.
  std::string take_output() {
    std::string taken = std::exchange(output_, {});
    proceed();
    return taken;
  }
  bool has_output() const noexcept { return !output_.empty(); }
  /// Whether the connection is to be closed once all output is sent.
  bool finished() const noexcept {
    return closing_ && !under_way_ && sent_.empty() && pending_.empty() && output_.empty();
  }

 private:
  /// Part of the output: a reply that is there, or that of a command that is to be ordered.
  struct Piece {
    std::string reply;
    std::optional<Step> step;
  };
  /// Pieces that belong into one order: those of a transaction.
  struct Unit {
    std::vector<Piece> pieces;
    std::size_t bytes = 0;
  };
  /// What MULTI has begun.
  struct Transaction {
    std::vector<Command> commands;
    std::size_t bytes = 0;
    bool aborted = false;
  };

  /// What encoding adds to a command's size at most, beyond what the parser counts for arguments.
  static constexpr std::size_t order_overhead = 64;

  static std::size_t size_of(Arguments arguments) {
    std::size_t size = order_overhead;
    for (const mirbft::Bytes& argument : arguments)
      size += argument.size() + ParserLimits::argument_cost;
    return size;
  }

  /// Reads commands and sends orders as far as both is possible now.
  void proceed() {
    Command arguments;
    while (wants_input()) {
      const auto result = parser_.next(arguments);
      if (result == CommandParser::Result::needs_more) break;
      if (result == CommandParser::Result::error) {
        reply_error(parser_.error());
        closing_ = true;
        break;
      }
      take(std::move(arguments));
    }
    dispatch();
  }

  // Commands.

  void take(Command arguments) {
    if (is_word(arguments[0].text(), "quit")) {
      reply([](ReplyWriter& writer) { writer.ok(); });
      closing_ = true;
      return;
    }
    std::string error;
    const CommandSpec* spec = resolve(arguments, error);
    if (!spec) {
      if (transaction_) transaction_->aborted = true;
      return reply_error(error);
    }
    if (spec->name == "multi") return multi();
    if (spec->name == "exec") return exec();
    if (spec->name == "discard") return discard();
    if (transaction_) return queue(std::move(arguments));
    Unit unit;
    add(unit, *spec, std::move(arguments));
    push(std::move(unit));
  }

  void multi() {
    if (transaction_) return reply_error("ERR MULTI calls can not be nested");
    transaction_.emplace();
    reply([](ReplyWriter& writer) { writer.ok(); });
  }

  void queue(Command arguments) {
    if (!transaction_->aborted) {
      transaction_->bytes += size_of(arguments);
      if (transaction_->bytes > limits_.order_bytes) {
        transaction_->aborted = true;
        transaction_->commands.clear();
        return reply_error("ERR the transaction is larger than " +
                           std::to_string(limits_.order_bytes) + " bytes");
      }
      transaction_->commands.push_back(std::move(arguments));
    }
    reply([](ReplyWriter& writer) { writer.simple("QUEUED"); });
  }

  void exec() {
    if (!transaction_) return reply_error("ERR EXEC without MULTI");
    Transaction done = std::move(*transaction_);
    transaction_.reset();
    if (done.aborted)
      return reply_error("EXECABORT Transaction discarded because of previous errors.");
    Unit unit;
    ReplyWriter writer(connection_.protocol);
    writer.array(done.commands.size());
    add_reply(unit, writer.take());
    for (Command& arguments : done.commands) {
      std::string error;  // none: it was resolved when it was queued
      const CommandSpec* spec = resolve(arguments, error);
      add(unit, *spec, std::move(arguments));
    }
    push(std::move(unit));
  }

  void discard() {
    if (!transaction_) return reply_error("ERR DISCARD without MULTI");
    transaction_.reset();
    reply([](ReplyWriter& writer) { writer.ok(); });
  }

  // Replies and steps.

  void add(Unit& unit, const CommandSpec& spec, Command arguments) {
    if (spec.ordered) {
      unit.bytes += size_of(arguments);
      const bool continues = has_step(unit);
      unit.pieces.push_back({{}, Step{connection_.database,
                                      static_cast<std::uint32_t>(connection_.protocol),
                                      std::move(arguments), continues}});
      return;
    }
    ReplyWriter writer(connection_.protocol);
    LocalCall call{spec.name, arguments, connection_, writer};
    spec.local(call);
    add_reply(unit, writer.take());
  }
  void add_reply(Unit& unit, std::string text) {
    unit.bytes += text.size() + sizeof(Piece);
    unit.pieces.push_back({std::move(text), std::nullopt});
  }
  void push(Unit unit) {
    pending_bytes_ += unit.bytes;
    pending_.push_back(std::move(unit));
  }
  template <class Write>
  void reply(Write&& write) {
    ReplyWriter writer(connection_.protocol);
    write(writer);
    Unit unit;
    add_reply(unit, writer.take());
    push(std::move(unit));
  }
  void reply_error(std::string_view text) {
    reply([text](ReplyWriter& writer) { writer.error(text); });
  }

  // Orders.

  /// Sends the next order, if there is one and room for its replies.
  void dispatch() {
    if (under_way_ || output_.size() >= limits_.output_bytes) return;
    if (order_.steps.empty()) gather();
    if (order_.steps.empty()) return;
    order_.time_ms = clock_();
    under_way_ = true;
    orders_.submit(mirbft::wire::encode(order_),
                   [this](const Answer& answer) { answered(answer); });
  }
  /// Moves replies that wait for nothing to the output, and what comes then to the next order.
  void gather() {
    std::size_t bytes = order_overhead;
    while (!pending_.empty()) {
      Unit& unit = pending_.front();
      const bool is_ordered = has_step(unit);
      if (is_ordered && !order_.steps.empty() && bytes + unit.bytes > limits_.order_bytes) break;
      if (is_ordered) bytes += unit.bytes;
      for (Piece& piece : unit.pieces) {
        if (piece.step) order_.steps.push_back(std::move(*piece.step));
        if (order_.steps.empty()) output_ += piece.reply;
        else sent_.push_back(std::move(piece));
      }
      if (order_.steps.empty()) pending_bytes_ -= unit.bytes;
      else sent_bytes_ += unit.bytes;
      pending_.pop_front();
    }
  }
  static bool has_step(const Unit& unit) {
    for (const Piece& piece : unit.pieces)
      if (piece.step) return true;
    return false;
  }

  void answered(const Answer& answer) {
    std::optional<Replies> read;
    if (answer.result)
      read = mirbft::wire::decode<Replies>(*answer.result, mirbft::wire::Form::canonical);
    const bool failed = !read || (read->replies.empty() && !read->again);
    std::size_t done = 0;
    for (; !sent_.empty(); sent_.pop_front()) {
      const Piece& piece = sent_.front();
      if (!piece.step) output_ += piece.reply;
      else if (failed) output_ += failure(answer);
      else if (done < read->replies.size()) output_ += read->replies[done++].text();
      else break;
    }
    if (sent_.empty()) {
      order_.steps.clear();
      pending_bytes_ -= std::exchange(sent_bytes_, 0);
    } else {  // the rest is to be ordered again
      order_.steps.erase(order_.steps.begin(),
                         order_.steps.begin() + static_cast<std::ptrdiff_t>(done));
    }
    under_way_ = false;
    proceed();
  }
  static std::string failure(const Answer& answer) {
    ReplyWriter writer(Protocol::resp2);
    writer.error(answer.result ? "ERR the cluster's result cannot be read"
                               : "ERR the cluster gave no result: " + std::string(answer.why));
    return writer.take();
  }

  Orders& orders_;
  WallClock clock_;
  SessionLimits limits_;
  CommandParser parser_;
  Connection connection_;
  std::optional<Transaction> transaction_;
  std::deque<Unit> pending_;
  Order order_;             // the one that is under way, or comes next; empty if none does
  std::deque<Piece> sent_;  // what waits for its replies
  std::size_t sent_bytes_ = 0;
  std::size_t pending_bytes_ = 0;  // of both
  bool under_way_ = false;
  bool closing_ = false;
  std::string output_;
};

}  // namespace redis

#endif
