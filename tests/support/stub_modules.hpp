// The smallest modules that a Node accepts: they do nothing and handle nothing.
#ifndef MIRBFT_TESTS_SUPPORT_STUB_MODULES_HPP
#define MIRBFT_TESTS_SUPPORT_STUB_MODULES_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/protocol.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft::testing {

struct StubNet {
  void send(NodeId, FrameClass, const Bytes&) {}
  void flush() {}
  void poll(auto&&, std::chrono::nanoseconds, std::size_t) {}
  void wake() {}
  void close() {}
};

struct StubHasher {
  void update(ByteView) {}
  Digest finish() { return {}; }
};

struct StubCrypto {
  Bytes sign(Epoch, ByteView) const { return {}; }
  SignatureCheck verify_node(NodeId, Epoch, ByteView, ByteView) const {
    return SignatureCheck::valid;
  }
  SignatureCheck verify_client(ClientId, ByteView, ByteView) const { return SignatureCheck::valid; }
  void update_node_key(NodeId, Epoch, const std::optional<Bytes>&) {}
  void forget_node_keys(Epoch) {}
  void update_client_key(ClientId, const std::optional<Bytes>&) {}
};

struct StubApp {
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    return std::vector<Bytes>(requests.size());
  }
  Bytes snapshot() { return {}; }
  void restore(ByteView) {}
};

struct StubWal {
  static constexpr bool discards = true;

  void append(std::uint32_t, const Bytes&, RetentionIndex) {}
  void sync() {}
  void truncate(RetentionIndex) {}
  void replay(auto&&) {}
};

struct StubTracker {
  using consumes = events<NewRequest, Applied>;
  using emits = events<>;

  void process(const NewRequest&, auto& /*out*/) {}
  void process(const Applied&, auto& /*out*/) {}
};

struct StubStore {
  void put(const RequestRef&, const Bytes&, const Bytes&) {}
  void sync() {}
  const Request* get(const RequestRef&) { return nullptr; }
  void delivered(SeqNr, const Batch&) {}
  void collect(const Collection&) {}
};

struct StubMessage {
  std::uint64_t value = 0;
};

struct StubProtocol {
  using Message = std::variant<StubMessage>;
  using consumes = events<MessageReceived<Message>>;
  using emits = events<>;

  void process(const MessageReceived<Message>&, auto& /*out*/) {}
  static FrameClass frame_class(const Message&) { return FrameClass::vote; }
};

}  // namespace mirbft::testing

BOOST_HANA_ADAPT_STRUCT(mirbft::testing::StubMessage, value);

#endif
