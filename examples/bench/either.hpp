// Modules that are chosen at start: one Node type for all that the benchmark compares, so that it
// is compiled once. A program of one's own names its modules and needs nothing of this.
#ifndef MIRBFT_EXAMPLES_BENCH_EITHER_HPP
#define MIRBFT_EXAMPLES_BENCH_EITHER_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>
#include <mirbft/wire/request_bytes.hpp>

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

template <class First, class Second>
class EitherNet : Either<First, Second> {
  using Either<First, Second>::ask;

 public:
  using Either<First, Second>::Either;

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

template <class First, class Second>
class EitherCrypto : Either<First, Second> {
  using Either<First, Second>::ask;

 public:
  using Either<First, Second>::Either;

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
  mirbft::SignatureCheck verify_request(mirbft::ByteView cluster, const mirbft::RequestRef& request,
                                        mirbft::ByteView authenticator) const {
    return ask([&]<class Crypto>(const Crypto& crypto) {
      if constexpr (requires { crypto.verify_request(cluster, request, authenticator); }) {
        return crypto.verify_request(cluster, request, authenticator);
      } else if constexpr (requires { Crypto::trusts_everyone; }) {
        return mirbft::SignatureCheck::valid;
      } else {
        return crypto.verify_client(request.client,
                                    mirbft::wire::request_signature_bytes(cluster, request).view(),
                                    authenticator);
      }
    });
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

template <class First, class Second>
class EitherWal : Either<First, Second> {
  using Either<First, Second>::ask;

 public:
  using Either<First, Second>::Either;

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

template <class First, class Second>
class EitherStore : Either<First, Second> {
  using Either<First, Second>::ask;

 public:
  using Either<First, Second>::Either;

  void put(const mirbft::RequestRef& reference, mirbft::Bytes data, mirbft::Bytes authenticator) {
    ask([&](auto& store) { store.put(reference, std::move(data), std::move(authenticator)); });
  }
  void sync() {
    ask([](auto& store) { store.sync(); });
  }
  const mirbft::Request* get(const mirbft::RequestRef& reference) {
    return ask([&](auto& store) { return store.get(reference); });
  }
  void delivered(mirbft::SeqNr sn, mirbft::Batch batch) {
    ask([&](auto& store) { store.delivered(sn, std::move(batch)); });
  }
  void collect(const mirbft::Collection& collection) {
    ask([&](auto& store) { store.collect(collection); });
  }
};

}  // namespace bench

#endif
