// A node of a benchmark as a process of its own: what mirbft-kv is made of, but for what the
// options leave out, and an App that costs nothing.
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

#include <mirbft/client/client_port.hpp>
#include <mirbft/modules/crypto/batch.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/net/tls.hpp>
#include <mirbft/modules/net/tls_transport.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/null.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/wire/json.hpp>

#include "../kv/checks.hpp"
#include "../kv/config.hpp"
#include "../kv/data_directory.hpp"
#include "../shared/keys.hpp"
#include "../shared/process.hpp"
#include "../shared/signals.hpp"
#include "disk.hpp"
#include "either.hpp"
#include "options.hpp"
#include "order_app.hpp"

namespace bench {
namespace {

using Net = EitherNet<mirbft::TlsNet, mirbft::TcpNet>;
using Crypto =
    EitherCrypto<mirbft::NullCrypto, mirbft::BatchVerifier<mirbft::SodiumCrypto, mirbft::Sha256>>;
using Wal = EitherWal<mirbft::NullWal, mirbft::SegmentWal<Disk>>;
using Store = EitherStore<mirbft::MemoryStore, mirbft::SegmentStore<Disk>>;
using Node = mirbft::Node<Net, mirbft::Sha256, Crypto, OrderApp, Wal, mirbft::ClientTracker, Store,
                          mirbft::Iss<mirbft::Pbft>, mirbft::NullInterceptor>;

Net make_net(const Options& options, const kv::Config& config) {
  const mirbft::TlsConfig net = kv::net_config(config, kv::load_identity(config));
  if (options.transport == "tcp") return Net(mirbft::TcpNet(net.tcp));
  return Net(mirbft::TlsNet(net));
}

Crypto make_crypto(const Options& options, const kv::Config& config) {
  if (options.signatures == "none") return Crypto(mirbft::NullCrypto());
  const kv::Key key = kv::load_key(config.key_file);
  return Crypto(mirbft::BatchVerifier<mirbft::SodiumCrypto, mirbft::Sha256>(
      mirbft::SodiumCrypto(mirbft::ByteView(key),
                           programs::keys_of<mirbft::NodeId>(config.members),
                           programs::keys_of<mirbft::ClientId>(config.clients))));
}

mirbft::SegmentConfig segments(const kv::Config& config) {
  return {.node = config.self,
          .cluster = mirbft::Bytes(config.cluster),
          .segment_size = std::uint64_t{config.segment_kib} << 10};
}

Node::Modules make_modules(const Options& options, const kv::Config& config,
                           const kv::DataDirectory& directory) {
  mirbft::TrackerConfig tracker;
  tracker.cluster = mirbft::Bytes(config.cluster);
  mirbft::IssConfig protocol = kv::iss_config(config, mirbft::Memory::whole);
  if (options.pull_along == "delayed") protocol.pull_along = mirbft::PullAlong::delayed;
  if (options.batching == "fixed-delay") protocol.batching = mirbft::Batching::fixed_delay;
  const bool forgets = options.wal == "none";
  const auto disk = [&](const std::string& path) {
    return Disk(path, options.wal == "sync" ? Durability::synced : Durability::left_to_the_system);
  };
  return {.net = make_net(options, config),
          .hasher = mirbft::Sha256(),
          .crypto = make_crypto(options, config),
          .app = OrderApp(),
          .wal = forgets ? Wal(mirbft::NullWal())
                         : Wal(mirbft::SegmentWal<Disk>(disk(directory.wal()), segments(config))),
          .tracker = mirbft::ClientTracker(std::move(tracker)),
          .store = forgets ? Store(mirbft::MemoryStore())
                           : Store(mirbft::SegmentStore<Disk>(disk(directory.store()),
                                                              segments(config))),
          .protocol = mirbft::Iss<mirbft::Pbft>(std::move(protocol)),
          .interceptor = {}};
}

mirbft::NodeConfig node_config(const Options& options, const kv::Config& config) {
  mirbft::NodeConfig made;
  made.self = config.self;
  made.cluster = mirbft::Bytes(config.cluster);
  if (options.votes == "single") made.vote_frames = mirbft::VoteFrames::single;
  if (options.group_commit == "entry") made.group_commit = mirbft::GroupCommit::entry;
  return made;
}

/// All clients of the benchmark are at one address.
mirbft::ClientPortConfig port_config(const kv::Config& config) {
  mirbft::ClientPortConfig made = kv::client_port_config(config);
  made.per_address = made.per_client = made.total;
  return made;
}

/// Answers each line with what was applied, until the end of the input, a signal, or the Node's.
void answer(const Node& node, const programs::Signals& signals, int ended) {
  const auto tell = [&] { std::cout << mirbft::wire::to_json(node.status().app) << std::endl; };
  tell();
  for (;;) {
    std::array<pollfd, 3> waits{
        {{signals.handle(), POLLIN, 0}, {ended, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), -1) <= 0) continue;
    if (waits[0].revents != 0 || waits[1].revents != 0) return;
    char asked = 0;
    if (::read(STDIN_FILENO, &asked, 1) != 1) return;
    tell();
  }
}

template <class Transport>
int work(Node& node, const kv::Config& config, const programs::Signals& signals,
         Transport transport) {
  const mirbft::ClientPort<Node, Transport> port(port_config(config), node, std::move(transport));
  const programs::Handle ended(::eventfd(0, EFD_CLOEXEC));
  {
    const std::jthread worker([&](const std::stop_token& stop) {
      node.run(stop);
      (void)::eventfd_write(ended.get(), 1);
    });
    answer(node, signals, ended.get());
  }
  if (node.failure().empty()) return 0;
  std::cerr << "mirbft-bench: node " << config.self.value << ": " << node.failure() << '\n';
  return 1;
}

}  // namespace

int run_replica(const std::string& path, const Options& options) {
  const programs::Signals signals;
  const kv::Config config = kv::load_config(path);
  const kv::DataDirectory directory(config);
  Node node(node_config(options, config), make_modules(options, config, directory));
  if (options.transport == "tcp") return work(node, config, signals, mirbft::PlainTcp());
  return work(node, config, signals, mirbft::TlsServer(kv::load_identity(config)));
}

}  // namespace bench
