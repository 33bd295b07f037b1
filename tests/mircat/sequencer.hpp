// A Protocol for one replica that gives every module something to do, and a Node with it that
// records.
#ifndef MIRBFT_TESTS_MIRCAT_SEQUENCER_HPP
#define MIRBFT_TESTS_MIRCAT_SEQUENCER_HPP

#include <cstdint>
#include <future>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/app.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/node.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/wire/request_bytes.hpp>

namespace sample {

struct Mark {
  static constexpr auto module = mirbft::slot::protocol;
  static constexpr std::uint32_t number = 1100;
  mirbft::SeqNr sn;
};
struct Nothing {};

struct SequencerConfig {
  /// Sequence numbers from one snapshot to the next.
  std::uint64_t every = 0;
};

class Sequencer {
 public:
  using Message = std::variant<Nothing>;
  using consumes = mirbft::events<mirbft::RequestReady, mirbft::MessageReceived<Message>,
                                  mirbft::HashResult<Mark>, mirbft::SignResult<Mark>,
                                  mirbft::NodeSigsVerified<Mark>, mirbft::AppSnapshot,
                                  mirbft::AppRestored>;
  using emits = mirbft::events<mirbft::Deliver, mirbft::HashRequest<Mark>,
                               mirbft::SignRequest<Mark>, mirbft::VerifyNodeSigs<Mark>,
                               mirbft::AppSnapshotRequest, mirbft::AppRestoreState>;
  struct Status {
    mirbft::SeqNr next;
    std::uint64_t valid = 0;
    std::uint64_t restored = 0;
  };

  explicit Sequencer(SequencerConfig config) : config_(config) {
    if (config_.every == 0) throw mirbft::ConfigError("every", "0", "must be at least 1");
  }
  const SequencerConfig& config() const { return config_; }
  Status status() const { return status_; }
  static mirbft::FrameClass frame_class(const Message&) { return mirbft::FrameClass::vote; }

  void process(mirbft::RequestReady ready, auto& out) {
    const mirbft::SeqNr sn = status_.next;
    ++status_.next;
    out.emit(mirbft::Deliver{sn, mirbft::Batch({ready.reference})});
    if (status_.next.value % config_.every == 0) out.emit(mirbft::AppSnapshotRequest{sn});
    out.emit(mirbft::HashRequest<Mark>{{mirbft::Bytes("mark")}, {sn}});
  }
  void process(mirbft::HashResult<Mark> hashed, auto& out) {
    out.emit(mirbft::SignRequest<Mark>{{}, mirbft::Bytes(mirbft::hex(hashed.digest)),
                                       hashed.origin});
  }
  void process(mirbft::SignResult<Mark> made, auto& out) {
    const mirbft::Bytes message(std::to_string(made.origin.sn.value));
    out.emit(mirbft::VerifyNodeSigs<Mark>{
        {}, {{mirbft::NodeId(0), message, made.signature}}, made.origin});
  }
  void process(mirbft::NodeSigsVerified<Mark> verified, auto&) {
    status_.valid += verified.verdicts.front() == mirbft::SignatureCheck::valid;
  }
  void process(mirbft::AppSnapshot piece, auto& out) {
    std::vector<mirbft::Bytes> chunks;
    for (const mirbft::AppChunk& chunk : piece.changed) chunks.push_back(chunk.data);
    if (piece.sn + 1 == status_.next) out.emit(mirbft::AppRestoreState{piece.sn, chunks});
  }
  void process(mirbft::AppRestored, auto&) { ++status_.restored; }
  void process(mirbft::MessageReceived<Message>, auto&) {}

 private:
  SequencerConfig config_;
  Status status_;
};

template <class Interceptor = mirbft::FileInterceptor, class App = mirbft::Counter>
using SequencerNode =
    mirbft::Node<mirbft::LoopbackNet, mirbft::Sha256, mirbft::SodiumCrypto, App,
                 mirbft::MemoryWal, mirbft::ClientTracker, mirbft::MemoryStore, Sequencer,
                 Interceptor>;

inline mirbft::Bytes seed(std::uint8_t number) {
  return mirbft::Bytes(std::vector<std::uint8_t>(32, number));
}

inline mirbft::Request signed_request(std::uint64_t req_no) {
  mirbft::Request request{mirbft::ClientId(7), mirbft::ReqNo(req_no),
                          mirbft::Bytes("add " + std::to_string(req_no + 1)), {}};
  mirbft::Sha256 hasher;
  const mirbft::NodeConfig config;
  for (const mirbft::Bytes& part : mirbft::wire::request_parts(
           config.cluster.view(), request.client, request.req_no, request.data))
    hasher.update(part.view());
  const mirbft::RequestRef reference{request.client, request.req_no, hasher.finish()};
  const mirbft::Ed25519Key key(seed(7).view());
  request.authenticator = key.sign(
      mirbft::wire::request_signature_bytes(config.cluster.view(), reference).view());
  return request;
}

/// A log of a Node that has delivered so many requests.
template <class Interceptor>
void record(Interceptor interceptor, std::uint64_t requests = 8) {
  mirbft::LoopbackHub hub({mirbft::NodeId(0)});
  mirbft::NodeConfig config;
  mirbft::TrackerConfig tracker;
  tracker.cluster = config.cluster;
  SequencerNode<Interceptor> node(
      config,
      {mirbft::LoopbackNet(hub, mirbft::NodeId(0)), {},
       mirbft::SodiumCrypto(
           seed(1).view(),
           {{mirbft::NodeId(0), mirbft::Ed25519Key(seed(1).view()).public_key()}},
           {{mirbft::ClientId(7), mirbft::Ed25519Key(seed(7).view()).public_key()}}),
       {}, {}, mirbft::ClientTracker(tracker), {}, Sequencer({4}), std::move(interceptor)});
  for (std::uint64_t req_no = 0; req_no < requests; ++req_no) {
    std::future<mirbft::Replied> reply = node.submit(signed_request(req_no));
    while (node.process() != 0) continue;
    if (reply.get().outcome != mirbft::Outcome::delivered)
      throw mirbft::ModuleFailure("a request was not delivered: " + node.failure());
  }
  node.finish();
}

}  // namespace sample

BOOST_HANA_ADAPT_STRUCT(sample::Mark, sn);
BOOST_HANA_ADAPT_STRUCT(sample::Nothing);
BOOST_HANA_ADAPT_STRUCT(sample::SequencerConfig, every);
BOOST_HANA_ADAPT_STRUCT(sample::Sequencer::Status, next, valid, restored);

#endif
