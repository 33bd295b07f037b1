// Modules that are chosen at start: one Node type for all that the benchmark compares, so that it
// is compiled once. A program of one's own names its modules and needs nothing of this.
#ifndef MIRBFT_EXAMPLES_BENCH_EITHER_HPP
#define MIRBFT_EXAMPLES_BENCH_EITHER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/modules/wal/null.hpp>

namespace bench {

/// Holds one of two modules and asks it.
template <class First, class Second>
class Either {
 public:
  explicit Either(First first) : chosen_(std::move(first)) {}
  explicit Either(Second second) : chosen_(std::move(second)) {}

 protected:
  template <class Call>
  decltype(auto) ask(Call&& call) {
    if (auto* first = std::get_if<First>(&chosen_)) return call(*first);
    return call(*std::get_if<Second>(&chosen_));
  }
  template <class Call>
  decltype(auto) ask(Call&& call) const {
    if (const auto* first = std::get_if<First>(&chosen_)) return call(*first);
    return call(*std::get_if<Second>(&chosen_));
  }

 private:
  std::variant<First, Second> chosen_;
};

class EitherNet : Either<mirbft::LoopbackNet, mirbft::TcpNet> {
 public:
  using Either::Either;

  void send(mirbft::NodeId to, mirbft::FrameClass kind, const mirbft::Bytes& payload) {
    ask([&](auto& net) { net.send(to, kind, payload); });
  }
  void flush() {
    ask([](auto& net) { net.flush(); });
  }
  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds at_most, std::size_t max_frames) {
    ask([&](auto& net) { net.poll(sink, at_most, max_frames); });
  }
  void wake() {
    ask([](auto& net) { net.wake(); });
  }
  void close() {
    ask([](auto& net) { net.close(); });
  }
};

class EitherCrypto : Either<mirbft::NullCrypto, mirbft::SodiumCrypto> {
 public:
  using Either::Either;

  mirbft::Bytes sign(mirbft::Epoch epoch, mirbft::ByteView message) const {
    return ask([&](const auto& crypto) { return crypto.sign(epoch, message); });
  }
  mirbft::SignatureCheck verify_node(mirbft::NodeId node, mirbft::Epoch epoch,
                                     mirbft::ByteView message, mirbft::ByteView signature) const {
    return ask(
        [&](const auto& crypto) { return crypto.verify_node(node, epoch, message, signature); });
  }
  mirbft::SignatureCheck verify_client(mirbft::ClientId client, mirbft::ByteView message,
                                       mirbft::ByteView signature) const {
    return ask(
        [&](const auto& crypto) { return crypto.verify_client(client, message, signature); });
  }
  void update_node_key(mirbft::NodeId node, mirbft::Epoch from, std::optional<mirbft::Bytes> key) {
    ask([&](auto& crypto) { crypto.update_node_key(node, from, std::move(key)); });
  }
  void forget_node_keys(mirbft::Epoch before) {
    ask([&](auto& crypto) { crypto.forget_node_keys(before); });
  }
  void update_client_key(mirbft::ClientId client, std::optional<mirbft::Bytes> key) {
    ask([&](auto& crypto) { crypto.update_client_key(client, std::move(key)); });
  }
};

/// A log in memory whose syncs take as long as those of a disk.
class SlowWal : public mirbft::MemoryWal {
 public:
  explicit SlowWal(std::uint32_t microseconds) : time_(microseconds) {}

  void sync() {
    if (time_.count() != 0) std::this_thread::sleep_for(time_);
    MemoryWal::sync();
  }

 private:
  std::chrono::microseconds time_;
};

class EitherWal : Either<mirbft::NullWal, SlowWal> {
 public:
  using Either::Either;

  void append(std::uint32_t type, mirbft::Bytes entry, mirbft::RetentionIndex retention) {
    ask([&](auto& wal) { wal.append(type, std::move(entry), retention); });
  }
  void sync() {
    ask([](auto& wal) { wal.sync(); });
  }
  void truncate(mirbft::RetentionIndex index) {
    ask([&](auto& wal) { wal.truncate(index); });
  }
  template <class F>
  void replay(F&& f) {
    ask([&](auto& wal) { wal.replay(f); });
  }
};

}  // namespace bench

#endif
