// Runs a cluster from a fixed seed, records every event of every node, and replays the records.
// Prints a line for each node; fails when a replayed module does anything else than it did.
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>

namespace example {

using namespace mirbft;

/// An event of a user's own module.
struct Seen {
  static constexpr auto destination = slot::tracker;
  static constexpr std::uint32_t number = 1000;

  ClientId client;
  std::uint64_t requests = 0;
};

/// A user's own module: a Tracker that notes to itself how many requests have come in.
class NotingTracker : public ClientTracker {
 public:
  using consumes = joined<ClientTracker::consumes, events<Seen>>;
  using emits = joined<ClientTracker::emits, events<Seen>>;
  using ClientTracker::ClientTracker;
  using ClientTracker::process;

  void process(NewRequest event, auto& out) {
    out.emit(Seen{event.request.client, noted_ + 1});
    ClientTracker::process(std::move(event), out);
  }
  void process(Seen seen, auto& /*out*/) { noted_ = seen.requests; }

 private:
  std::uint64_t noted_ = 0;
};

/// The time that passes in steps.
struct StepTime {
  const std::uint64_t* now;
  std::uint64_t operator()() const { return *now; }
};

using Log = TimedFileInterceptor<StepTime>;
using Protocol = Iss<Pbft>;
using Replica = Node<LoopbackNet, Sha256, NullCrypto, Counter, MemoryWal, NotingTracker,
                     MemoryStore, Protocol, Log>;

constexpr std::uint64_t nodes = 4;
constexpr std::uint64_t requests = 300;

std::string path_of(const std::filesystem::path& folder, NodeId node) {
  return (folder / ("node-" + std::to_string(node.value) + ".log")).string();
}
Protocol protocol_of(NodeId self) {
  IssConfig config;
  config.self = self;
  for (std::uint64_t i = 0; i < nodes; ++i) config.members.push_back(NodeId(i));
  config.epoch_length = 16;
  config.max_batch_requests = 4;
  return Protocol(std::move(config));
}
NotingTracker tracker() {
  TrackerConfig config;
  config.cluster = NodeConfig{}.cluster;
  return NotingTracker(std::move(config));
}

std::unique_ptr<Replica> replica(LoopbackHub& hub, NodeId self, std::string log,
                                 const std::uint64_t& now) {
  NodeConfig config;
  config.self = self;
  Replica::Modules modules{.net = LoopbackNet(hub, self),
                           .hasher = {},
                           .crypto = {},
                           .app = {},
                           .wal = {},
                           .tracker = tracker(),
                           .store = {},
                           .protocol = protocol_of(self),
                           .interceptor = Log(std::move(log), StepTime{&now})};
  return std::make_unique<Replica>(config, std::move(modules));
}

/// Requests come to random replicas, which work in turn; time passes in steps.
void run_cluster(const std::filesystem::path& folder) {
  std::vector<NodeId> members;
  for (std::uint64_t i = 0; i < nodes; ++i) members.push_back(NodeId(i));
  LoopbackHub hub(members);
  std::uint64_t now = 0;
  std::vector<std::unique_ptr<Replica>> replicas;
  for (const NodeId self : members)
    replicas.push_back(replica(hub, self, path_of(folder, self), now));

  std::mt19937_64 random(42);
  std::uint64_t submitted = 0;
  for (int step = 1; step <= 400; ++step) {
    const std::chrono::nanoseconds time = step * std::chrono::milliseconds(10);
    now = static_cast<std::uint64_t>(time.count());
    for (auto& each : replicas) each->tick(time);
    for (; submitted < requests && random() % 4 != 0; ++submitted) {
      Request request{ClientId(submitted % 3), ReqNo(submitted / 3), Bytes("add 2"), {}};
      replicas[random() % nodes]->submit(std::move(request), [](const Replied&) {});
    }
    for (std::size_t work = 1; work != 0;) {
      work = 0;
      for (auto& each : replicas) work += each->process();
    }
  }
  for (auto& each : replicas) {
    if (each->app().value() != 2 * requests)
      throw std::runtime_error("not every request was delivered: " + each->failure());
    each->finish();
  }
}

std::string checksum(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  Sha256 hasher;
  hasher.update(Bytes(content).view());
  return hex(hasher.finish().view());
}

/// `Shared` is what others emit too.
template <class Shared, class Module>
std::uint64_t replayed(Module module, Slot slot, const std::string& path) {
  LogReader log(path);
  const ReplayResult result = replay<Shared>(module, slot, log);
  if (result.difference)
    throw std::runtime_error(path + ": event " + std::to_string(result.difference->recorded.index) +
                             ": " + result.difference->text);
  return result.compared;
}

std::uint64_t count(const std::string& path, std::uint32_t number) {
  LogReader log(path);
  std::uint64_t total = 0;
  while (const auto event = log.next()) total += event->number == number;
  return total;
}

void report(const std::string& path, NodeId self) {
  using Shared = events<NewRequest, MessageReceived<Protocol::Message>>;
  const std::uint64_t protocol = replayed<Shared>(protocol_of(self), slot::protocol, path);
  const std::uint64_t tracked = replayed<events<>>(tracker(), slot::tracker, path);
  const std::uint64_t own = count(path, Seen::number);
  if (protocol < requests || tracked < requests || own < requests)
    throw std::runtime_error(path + ": the replay has compared next to nothing");
  std::cout << "node " << self.value << ": " << checksum(path) << ", replayed alike: " << protocol
            << " events of the protocol, " << tracked << " of the tracker, among them its own "
            << own << '\n';
}

}  // namespace example

BOOST_HANA_ADAPT_STRUCT(example::Seen, client, requests);

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: event_log FOLDER    (the logs must not be there yet)\n";
    return 2;
  }
  try {
    example::run_cluster(argv[1]);
    for (std::uint64_t i = 0; i < example::nodes; ++i)
      example::report(example::path_of(argv[1], mirbft::NodeId(i)), mirbft::NodeId(i));
  } catch (const std::exception& error) {
    std::cerr << "event_log: " << error.what() << '\n';
    return 1;
  }
}
