// A replica with the service `App`.
#ifndef MIRBFT_EXAMPLES_KV_REPLICA_OF_HPP
#define MIRBFT_EXAMPLES_KV_REPLICA_OF_HPP

#include <cstdint>
#include <initializer_list>
#include <stop_token>
#include <string>
#include <utility>

#include <boost/hana/define_struct.hpp>

#include <mirbft/client/client_port.hpp>
#include <mirbft/modules/crypto/batch.hpp>
#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/net/tls.hpp>
#include <mirbft/modules/net/tls_transport.hpp>
#include <mirbft/modules/store/segment.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/wire/json.hpp>
#include <mirbft/wire/prometheus.hpp>

#include "../shared/keys.hpp"
#include "checks.hpp"
#include "counted_files.hpp"
#include "descriptors.hpp"
#include "memory.hpp"
#include "recorder.hpp"
#include "replica.hpp"

namespace kv {

/// The numbers of the status that never fall while a replica runs.
inline mirbft::wire::PrometheusNames metric_names(mirbft::NodeId self) {
  mirbft::wire::PrometheusNames names;
  names.labels = "node=\"" + std::to_string(self.value) + '"';
  names.counters = {"dispatched_events", "malformed_frames"};
  const auto add = [&](const std::string& path, const auto& members) {
    for (const auto member : members) names.counters.insert(path + std::string(member));
  };
  using List = std::initializer_list<const char*>;
  add("net_", List{"frames_sent", "bytes_sent", "frames_received", "bytes_received",
                   "dropped_votes", "dropped_batches", "dropped_chunks", "dropped_requests",
                   "cut_off", "refused"});
  add("net_ended_", mirbft::wire::member_names<mirbft::TcpEnds>);
  for (const std::string log : {"wal_", "store_log_"})
    add(log, List{"events", "carried", "bytes", "syncs", "removed_segments"});
  add("tracker_", List{"admitted", "delivered", "repeated", "already_delivered", "rejected_size",
                       "rejected_window", "rejected_signature", "rejected_conflict", "overloaded",
                       "equivocations"});
  add("protocol_", List{"stable_checkpoints", "delivered_requests", "proposed_batches",
                        "key_changes", "refused_reconfigurations"});
  add("crypto_", List{"roots_verified", "roots_known"});
  add("clients_", List{"accepted", "submitted", "held_back", "answered", "dropped_answers",
                       "too_long_answers"});
  add("clients_refused_", mirbft::wire::member_names<mirbft::PortRefusals>);
  add("clients_ended_", mirbft::wire::member_names<mirbft::LinkEnds>);
  add("protocol_bad_messages_", mirbft::wire::member_names<mirbft::iss::BadMessages>);
  return names;
}

/// Which peers are missing, and why, in one line.
inline std::string absent(const mirbft::TcpStatus& net) {
  std::string text;
  for (const mirbft::TcpAbsence& peer : net.absent)
    text += (text.empty() ? "node " : ", node ") + std::to_string(peer.node.value) + " (" +
            peer.why + ')';
  // Whose certificate is refused is not known: it may be one of those.
  if (!text.empty() && !net.last_refused.empty()) text += "; refused last: " + net.last_refused;
  return text;
}

template <class App>
class ReplicaOf : public Replica {
 public:
  ReplicaOf(const Config& config, const DataDirectory& directory, Reading& reading)
      : names_(metric_names(config.self)),
        node_(node_config(config), modules(config, directory, reading)),
        port_(port_config(config), node_, mirbft::TlsServer(load_identity(config))) {}

  bool run(const std::stop_token& stop) override { return node_.run(stop); }
  const std::string& failure() const override { return node_.failure(); }

  Look look() const override {
    const Status all{node_.status(), port_.status()};
    const typename Node::Status& status = all.node;
    Look look;
    look.has_begun = status.state != "created";
    look.connected = status.net.connected;
    look.wal_syncs = status.wal.syncs;
    look.recovered_events = status.wal.events;
    look.torn_bytes = status.wal.torn_bytes;
    look.epoch = status.protocol.epoch;
    look.delivered = status.protocol.delivered_requests;
    look.suspected = status.protocol.suspected_segments;
    look.last_end = status.net.last_end;
    look.absent = absent(status.net);
    look.may_vote = status.protocol.may_vote;
    look.json = mirbft::wire::to_json(all, mirbft::wire::JsonLayout::indented) + '\n';
    mirbft::wire::PrometheusText metrics(names_);
    metrics.put(status);
    metrics.put(Others{all.clients});
    look.metrics = std::move(metrics).take();
    return look;
  }

 private:
  using Files = CountedFiles<mirbft::PosixFiles>;
  using Net = mirbft::TlsNet;
  using Crypto = mirbft::BatchVerifier<mirbft::SodiumCrypto, mirbft::Sha256>;
  using Node = mirbft::Node<Net, mirbft::Sha256, Crypto, App, mirbft::SegmentWal<Files>,
                            mirbft::ClientTracker, mirbft::SegmentStore<Files>,
                            mirbft::Iss<mirbft::Pbft>, Recorder>;
  using ClientPort = mirbft::ClientPort<Node, mirbft::TlsServer>;

  /// All that there is to tell.
  struct Status {
    BOOST_HANA_DEFINE_STRUCT(Status, (typename Node::Status, node),
                             (mirbft::ClientPortStatus, clients));
  };
  /// Of this, what the Node does not tell: its metrics begin with `clients_`.
  struct Others {
    BOOST_HANA_DEFINE_STRUCT(Others, (mirbft::ClientPortStatus, clients));
  };

  static mirbft::NodeConfig node_config(const Config& config) {
    mirbft::NodeConfig made;
    made.self = config.self;
    made.cluster = mirbft::Bytes(config.cluster);
    limit_memory(config, made);
    return made;
  }

  static mirbft::ClientPortConfig port_config(const Config& config) {
    mirbft::ClientPortConfig made = client_port_config(config);
    limit_memory(config, made);
    leave_descriptors(made, raise_descriptors());
    return made;
  }

  static typename Node::Modules modules(const Config& config, const DataDirectory& directory,
                                        Reading& reading) {
    mirbft::TrackerConfig tracker;
    tracker.cluster = mirbft::Bytes(config.cluster);
    limit_memory(config, tracker);
    const mirbft::SegmentConfig segments{.node = config.self,
                                         .cluster = mirbft::Bytes(config.cluster),
                                         .segment_size = std::uint64_t{config.segment_kib} << 10};
    const auto files = [&](const std::string& path) {
      return Files(mirbft::PosixFiles(path), reading);
    };
    const Key key = load_key(config.key_file);
    mirbft::SodiumCrypto crypto(mirbft::ByteView(key),
                                programs::keys_of<mirbft::NodeId>(config.members),
                                programs::keys_of<mirbft::ClientId>(config.clients));
    mirbft::IssConfig iss = iss_config(config, directory.memory());
    limit_memory(config, iss);
    // The port first: who has it may have the files as well, and says so more clearly.
    mirbft::TlsConfig tls = net_config(config, load_identity(config));
    limit_memory(config, tls.tcp);
    Net net(tls);
    return {.net = std::move(net),
            .hasher = mirbft::Sha256(),
            .crypto = Crypto(std::move(crypto)),
            .app = App(),
            .wal = mirbft::SegmentWal<Files>(files(directory.wal()), segments),
            .tracker = mirbft::ClientTracker(std::move(tracker)),
            .store = mirbft::SegmentStore<Files>(files(directory.store()), segments),
            .protocol = mirbft::Iss<mirbft::Pbft>(std::move(iss)),
            .interceptor = recorder(config)};
  }

  const mirbft::wire::PrometheusNames names_;
  Node node_;
  ClientPort port_;
};

}  // namespace kv

#endif
