// The temporary directory of a run: one configuration for each replica, with fresh keys and
// certificates, the commands, and later what the replicas write to their logs.
#ifndef MIRBFT_EXAMPLES_QUICKSTART_WORKSPACE_HPP
#define MIRBFT_EXAMPLES_QUICKSTART_WORKSPACE_HPP

#include <filesystem>
#include <string>
#include <vector>

#include <mirbft/modules/net/tls_identity.hpp>
#include <mirbft/wire/json.hpp>

#include "../replica/config.hpp"
#include "../shared/keys.hpp"
#include "../shared/reserved_port.hpp"
#include "../shared/temporary_folder.hpp"
#include "../shared/text_file.hpp"

namespace quickstart {

/// What a cluster of processes needs on the disk. The directory is this user's alone, since it
/// holds secrets.
class Workspace {
 public:
  Workspace(std::size_t replicas, std::size_t clients, const std::vector<std::string>& commands)
      : ports_(replicas) {
    std::vector<ReplicaConfig> configs(replicas);
    ReplicaConfig common;
    for (std::size_t i = 0; i < replicas; ++i) {
      configs[i].self = mirbft::NodeId(i);
      configs[i].seed = programs::new_seed();
      const auto identity = mirbft::TlsIdentity::generate("replica " + std::to_string(i));
      configs[i].certificate = identity.certificate_pem();
      configs[i].key = identity.key_pem();
      configs[i].data = "replica-" + std::to_string(i);
      common.members.push_back({mirbft::NodeId(i), "127.0.0.1", ports_[i].number(),
                                programs::public_key_of(configs[i].seed),
                                identity.fingerprint()});
    }
    for (std::size_t i = 0; i < clients; ++i) {
      const OwnClientConfig own{mirbft::ClientId(i), programs::new_seed()};
      configs[i % replicas].own_clients.push_back(own);
      common.clients.push_back({own.id, programs::public_key_of(own.seed)});
    }
    for (ReplicaConfig& config : configs) {
      config.members = common.members;
      config.clients = common.clients;
      programs::write_file(
          config_file(config.self.value),
          mirbft::wire::to_json(config, mirbft::wire::JsonLayout::indented) + '\n');
    }
    std::string lines;
    for (const std::string& command : commands) lines += command + '\n';
    programs::write_file(commands_file(), lines);
  }

  std::string config_file(std::size_t replica) const {
    return directory_.path() / ("replica-" + std::to_string(replica) + ".json");
  }
  std::string commands_file() const { return directory_.path() / "commands.txt"; }

 private:
  programs::TemporaryFolder directory_{std::filesystem::temp_directory_path() /
                                       "mirbft-quickstart"};
  std::vector<programs::ReservedPort> ports_;
};

}  // namespace quickstart

#endif
