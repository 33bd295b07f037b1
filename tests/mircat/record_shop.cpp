// Makes the event logs of a shop whose second replica is in another time zone.
//
//     record_shop DIRECTORY
#include <filesystem>
#include <iostream>
#include <string>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

#include "shop.hpp"

namespace {

using namespace mirbft;

/// Runs a replica over all orders, one after the other.
void record(const std::string& directory, NodeId self, int hours_from_utc) {
  LoopbackHub hub({self});
  NodeConfig config;
  config.self = self;
  config.cluster = Bytes("shop");
  TrackerConfig tracker;
  tracker.cluster = config.cluster;
  SegmentConfig segments;
  segments.node = self;
  segments.segment_size = 4096;
  const std::string number = std::to_string(self.value);
  shop::Replica replica(
      config, {.net = LoopbackNet(hub, self),
               .hasher = {},
               .crypto = {},
               .app = example::Ledger<shop::Orders>(hours_from_utc),
               .wal = SegmentWal(PosixFiles(directory + "/wal-" + number), segments),
               .tracker = example::MeteringTracker(tracker),
               .store = {},
               .protocol = {},
               .interceptor = TimedFileInterceptor<shop::Steps>(directory + "/node-" + number +
                                                                ".log")});
  for (std::uint64_t order = 0; order < 48; ++order) {
    const std::string command = "SET order-" + std::to_string(order) + " 3 lamps";
    replica.submit({ClientId(order % 3), ReqNo(order / 3), Bytes(command), {}},
                   [](const Replied&) {});
    while (replica.process() != 0) continue;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "record_shop: name a directory\n";
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  record(argv[1], mirbft::NodeId(0), 0);
  record(argv[1], mirbft::NodeId(1), -5);
}
