// More load than is good for a cluster of mirbft-kv, for overload.py: very many clients in one
// process, or a member of the cluster that sends whatever costs the others most.
#include <poll.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/modules/net/tls.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/wire/codec.hpp>

#include "../../examples/kv/checks.hpp"
#include "../../examples/kv/cluster_client.hpp"
#include "../../examples/kv/config.hpp"
#include "../../examples/shared/program.hpp"
#include "../../examples/shared/signals.hpp"

namespace {

using namespace mirbft;
using namespace std::chrono_literals;

bool has_come(const programs::Signals& signals, std::chrono::milliseconds within) {
  pollfd wait{signals.handle(), POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(within.count())) > 0;
}

/// Clients that each have a few writes under way, always.
class Crowd {
 public:
  Crowd(const std::filesystem::path& folder, std::size_t first, std::size_t count) {
    constexpr std::uint32_t most_open = 64;
    for (std::size_t i = first; i < first + count; ++i) {
      const std::string name = i == 0 ? "client.json" : "client-" + std::to_string(i) + ".json";
      clients_.push_back(kv::make_client(folder / name, most_open, 600s));
    }
  }
  ~Crowd() {
    for (const auto& client : clients_) client->shut_down();
  }

  void begin(std::size_t open, std::size_t length) {
    value_ = std::string(length, 'x');
    for (std::size_t i = 0; i < clients_.size(); ++i)
      for (std::size_t k = 0; k < open; ++k) write(i, k);
  }
  /// Writes that were acknowledged, and the clients that have made any.
  std::pair<std::uint64_t, std::size_t> done() const {
    std::pair<std::uint64_t, std::size_t> sum{};
    for (const auto& client : clients_) {
      const std::uint64_t delivered = client->status().delivered;
      sum.first += delivered;
      sum.second += delivered != 0;
    }
    return sum;
  }

 private:
  void write(std::size_t client, std::size_t key) {
    const std::string command =
        "SET " + std::to_string(client) + ':' + std::to_string(key) + ' ' + value_;
    (void)clients_[client]->submit(Bytes(command), [this, client, key](const ClientReply& reply) {
      if (reply.end != ClientEnd::shut_down) write(client, key);
    });
  }

  std::string value_;
  std::vector<std::unique_ptr<kv::ClusterClient>> clients_;
};

/// A member that is faulty. It listens to where the others stand, so as to be of some interest.
class Flood {
 public:
  using Message = IssMessage<PbftMessage>;

  explicit Flood(const kv::Config& config)
      : config_(config), net_(kv::net_config(config, kv::load_identity(config))) {}

  /// Sends for about a millisecond.
  void work() {
    constexpr std::uint64_t enough = 16u << 20;
    while (net_.status().queued_bytes < enough) send();
    net_.flush();
    net_.poll([this](NodeId, const Bytes& frame) { listen(frame); }, 1ms, 1024);
  }
  std::uint64_t sent_bytes() const { return net_.status().bytes_sent; }

 private:
  using Request = mirbft::Request;

  void listen(const Bytes& frame) {
    const auto message = wire::decode<Message>(frame, wire::Form::canonical);
    const auto* progress = message ? std::get_if<Progress>(&*message) : nullptr;
    if (!progress) return;
    epoch_ = progress->epoch;
    next_ = progress->next;
  }

  void send() {
    const std::uint64_t turn = turn_++;
    const SegmentId now{epoch_, static_cast<std::uint32_t>(turn % config_.members.size())};
    const SegmentId soon{Epoch(epoch_.value + 1 + turn % 4), now.index};
    switch (turn % 12) {
      case 0: return send(FrameClass::batch, std::string(4u << 20, '\xff'));
      case 1: return send(FrameClass::vote, std::string(60u << 10, '\x0a'));
      case 2: return send(Relayed{requests(40, 60u << 10)});
      case 3: return send(Relayed{requests(10'000, 100)});
      case 4: return send(RequestsSupplied{requests(10'000, 200)});
      case 5: return send(PbftMessage(PrePrepare{now, next_, batch(60'000), signature()}));
      case 6: return send(PbftMessage(PrePrepare{soon, next_, batch(60'000), signature()}));
      case 7: return send(BatchSupplied{now, 0, batch(60'000)});
      case 8: return send(Done{soon, std::vector<Digest>(100'000)});
      case 9: return send_votes(now);
      case 10: return send_questions(now);
      default: return send(PbftMessage(view_change(now)));
    }
  }
  void send_votes(const SegmentId& segment) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const SeqNr sn(next_.value + i % 64);
      send(PbftMessage(Prepare{segment, View(i % 3), sn, digest(), signature()}));
      send(PbftMessage(Commit{segment, View(i % 3), sn, digest()}));
    }
    CheckpointHeader header;
    for (header.epoch = epoch_; header.epoch.value < epoch_.value + 100; ++header.epoch.value)
      send(CheckpointVote{header, signature()});
  }
  void send_questions(const SegmentId& segment) {
    std::vector<std::uint32_t> slots;
    for (std::uint32_t slot = 0; slot < 1000; ++slot) slots.push_back(slot);
    for (int i = 0; i < 100; ++i) {
      send(BatchesWanted{segment, slots});
      send(SlotsWanted{segment, slots});
      send(StateWanted{Epoch(epoch_.value - 1)});
      send(ChunkWanted{Epoch(epoch_.value - 1), static_cast<std::uint64_t>(i)});
    }
    send(RequestsWanted{*batch(10'000)});
  }
  ViewChange view_change(const SegmentId& segment) {
    ViewChange change;
    change.segment = segment;
    change.view = View(turn_);
    change.sender = config_.self;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const SeqNr sn(next_.value + i);
      change.claims.push_back({View(0), sn, digest()});
      change.certificates.push_back({View(0), sn, digest(), {{NodeId(0), signature()}}});
    }
    change.signature = signature();
    return change;
  }

  std::vector<Request> requests(std::size_t count, std::size_t length) {
    std::vector<Request> made;
    const Bytes body(std::string(length, static_cast<char>(turn_)));
    for (std::size_t i = 0; i < count; ++i)
      made.push_back({ClientId(i % config_.clients.size()), ReqNo(++number_ % 1'000'000), body,
                      signature()});
    return made;
  }
  Batch batch(std::size_t count) {
    std::vector<RequestRef> references;
    for (std::size_t i = 0; i < count; ++i)
      references.push_back({ClientId(i % config_.clients.size()), ReqNo(++number_ % 1'000'000),
                            digest()});
    return Batch(std::move(references));
  }
  Digest digest() {
    Digest made{};
    for (std::size_t i = 0; i < 8; ++i)
      made.bytes[i] = static_cast<std::uint8_t>(number_ >> (8 * i));
    ++number_;
    return made;
  }
  static Bytes signature() { return Bytes(std::string(64, 's')); }

  void send(const Message& message) {
    send(iss::frame_class<Orderer>(message), wire::encode(message));
  }
  template <class Text>
  void send(FrameClass kind, const Text& text) {
    const Bytes frame(text);
    for (const kv::Member& member : config_.members)
      if (member.id != config_.self) net_.send(member.id, kind, frame);
  }

  /// How PBFT's messages travel.
  struct Orderer {
    using Message = PbftMessage;
    static FrameClass frame_class(const PbftMessage& message) {
      const bool is_vote =
          std::holds_alternative<Prepare>(message) || std::holds_alternative<Commit>(message);
      return is_vote ? FrameClass::vote : FrameClass::batch;
    }
  };

  const kv::Config config_;
  TlsNet net_;
  Epoch epoch_;
  SeqNr next_;
  std::uint64_t turn_ = 0;
  std::uint64_t number_ = 0;
};

struct Options {
  std::string folder;
  std::string config;
  std::size_t first = 0;
  std::size_t count = 1;
  std::size_t open = 1;
  std::size_t length = 100;
};

int crowd(const Options& options) {
  const programs::Signals signals;
  Crowd clients(options.folder, options.first, options.count);
  clients.begin(options.open, options.length);
  while (!has_come(signals, 200ms)) {
    const auto [writes, writers] = clients.done();
    std::cout << writes << ' ' << writers << std::endl;
  }
  return 0;
}

int flood(const Options& options) {
  const programs::Signals signals;
  Flood member(kv::load_config(options.config));
  auto told = std::chrono::steady_clock::now();
  while (!has_come(signals, 0ms)) {
    member.work();
    if (std::chrono::steady_clock::now() - told < 200ms) continue;
    told = std::chrono::steady_clock::now();
    std::cout << member.sent_bytes() << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App program("Overloads a cluster until SIGTERM; tells how far it is five times a second.");
  Options options;
  program.require_subcommand(1);
  auto* const many = program.add_subcommand("crowd", "many clients that write");
  many->add_option("DIR", options.folder)->required();
  many->add_option("FIRST", options.first)->required();
  many->add_option("COUNT", options.count)->required();
  many->add_option("--open", options.open, "writes under way at each");
  many->add_option("--length", options.length, "bytes of a value");
  auto* const one = program.add_subcommand("flood", "a member that sends without end");
  one->add_option("CONFIG", options.config)->required();
  return programs::run_program("kv_load", program, argc, argv,
                               [&] { return many->parsed() ? crowd(options) : flood(options); });
}
