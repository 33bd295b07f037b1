// The temporary directory of a run: one configuration for each replica, with fresh keys, and the
// commands.
#ifndef MIRBFT_EXAMPLES_QUICKSTART_WORKSPACE_HPP
#define MIRBFT_EXAMPLES_QUICKSTART_WORKSPACE_HPP

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/wire/json.hpp>

#include "../replica/config.hpp"
#include "process.hpp"

namespace quickstart {

/// A TCP port on loopback that is nobody else's for as long as this lives. It is bound but does
/// not listen, so that a child may, which binds it with the same option.
class ReservedPort {
 public:
  ReservedPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(socket_.get(), any, size) != 0 || ::getsockname(socket_.get(), any, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "no free port on 127.0.0.1");
    number_ = ntohs(address.sin_port);
  }

  std::uint16_t number() const noexcept { return number_; }

 private:
  Handle socket_;
  std::uint16_t number_ = 0;
};

/// Removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "mirbft-quickstart-XXXXXX";
    if (!::mkdtemp(name.data()))
      throw std::system_error(errno, std::generic_category(), "no temporary directory " + name);
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

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
      configs[i].seed = new_seed();
      common.members.push_back(
          {mirbft::NodeId(i), "127.0.0.1", ports_[i].number(), public_key(configs[i].seed)});
    }
    for (std::size_t i = 0; i < clients; ++i) {
      const OwnClientConfig own{mirbft::ClientId(i), new_seed()};
      configs[i % replicas].own_clients.push_back(own);
      common.clients.push_back({own.id, public_key(own.seed)});
    }
    for (ReplicaConfig& config : configs) {
      config.members = common.members;
      config.clients = common.clients;
      write(config_file(config.self.value),
            mirbft::wire::to_json(config, mirbft::wire::JsonLayout::indented) + '\n');
    }
    std::string lines;
    for (const std::string& command : commands) lines += command + '\n';
    write(commands_file(), lines);
  }

  std::string config_file(std::size_t replica) const {
    return directory_.path() / ("replica-" + std::to_string(replica) + ".json");
  }
  std::string commands_file() const { return directory_.path() / "commands.txt"; }

 private:
  static Key new_seed() {
    Key seed;
    const mirbft::Bytes random = mirbft::Ed25519Key::random_seed();
    std::copy(random.begin(), random.end(), seed.begin());
    return seed;
  }
  static Key public_key(const Key& seed) {
    Key key;
    const mirbft::Bytes made = mirbft::Ed25519Key(mirbft::ByteView(seed)).public_key();
    std::copy(made.begin(), made.end(), key.begin());
    return key;
  }
  static void write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw std::system_error(errno, std::generic_category(), "cannot write " + path);
  }

  TemporaryDirectory directory_;
  std::vector<ReservedPort> ports_;
};

}  // namespace quickstart

#endif
