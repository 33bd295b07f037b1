// The Node of this program, and how it is made from its configuration.
#ifndef MIRBFT_EXAMPLES_REPLICA_REPLICA_HPP
#define MIRBFT_EXAMPLES_REPLICA_REPLICA_HPP

#include <memory>
#include <string>
#include <utility>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/interceptor/optional.hpp>
#include <mirbft/modules/net/tls.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>

#include "../shared/keys.hpp"
#include "config.hpp"
#include "recording.hpp"

namespace quickstart {

/// Records where the command line asks for it.
using OptionalLog = mirbft::OptionalInterceptor<mirbft::FileInterceptor>;

using App = Recording<mirbft::KeyValueStore>;
using Wal = mirbft::SegmentWal<mirbft::PosixFiles>;
using Store = mirbft::SegmentStore<mirbft::PosixFiles>;
using Replica = mirbft::Node<mirbft::TlsNet, mirbft::Sha256, mirbft::SodiumCrypto, App, Wal,
                             mirbft::ClientTracker, Store, mirbft::Iss<mirbft::Pbft>, OptionalLog>;

/// Throws ConfigError for the first rule that `config` breaks. The replica listens when it is made.
inline std::unique_ptr<Replica> make_replica(const ReplicaConfig& config, App app,
                                             OptionalLog log) {
  check(config);
  const mirbft::Bytes cluster(config.cluster);
  mirbft::NodeConfig node;
  node.self = config.self;
  node.cluster = cluster;
  mirbft::TrackerConfig tracker;
  tracker.cluster = cluster;
  // First what checks who the members are: the others take that for granted.
  mirbft::Iss<mirbft::Pbft> protocol(iss_config(config));
  mirbft::SodiumCrypto crypto(mirbft::ByteView(config.seed),
                              programs::keys_of<mirbft::NodeId>(config.members),
                              programs::keys_of<mirbft::ClientId>(config.clients));
  // The port before the files: who has it has those as well, and says so more clearly.
  mirbft::TlsNet net(tls_config(config));
  mirbft::SegmentConfig segments;
  segments.node = config.self;
  segments.cluster = cluster;
  segments.segment_size = 8 << 20;
  const auto files = [&](const char* name) {
    return mirbft::PosixFiles(config.data + '/' + name);
  };
  return std::make_unique<Replica>(
      std::move(node), Replica::Modules{.net = std::move(net),
                                        .hasher = mirbft::Sha256(),
                                        .crypto = std::move(crypto),
                                        .app = std::move(app),
                                        .wal = Wal(files("wal"), segments),
                                        .tracker = mirbft::ClientTracker(std::move(tracker)),
                                        .store = Store(files("store"), segments),
                                        .protocol = std::move(protocol),
                                        .interceptor = std::move(log)});
}

}  // namespace quickstart

#endif
