// What TLS costs: frames of 512 B from one node to another in the same thread, plain and encrypted.
//
// The argument is how many frames are sent before the other node is polled.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include <benchmark/benchmark.h>

#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/net/tls.hpp>

namespace {

using namespace mirbft;

constexpr std::size_t frame_size = 512;

TcpConfig config(std::uint64_t self) {
  TcpConfig made;
  made.self = NodeId(self);
  made.cluster_id = "bench";
  made.peers = {{NodeId(0), "127.0.0.1"}, {NodeId(1), "127.0.0.1"}};
  return made;
}

template <class Net>
Net make(std::uint64_t self) {
  if constexpr (std::is_same_v<Net, TlsNet>) {
    static const TlsIdentity identities[] = {TlsIdentity::generate("zero"),
                                             TlsIdentity::generate("one")};
    return TlsNet({config(self), identities[self],
                   {{NodeId(0), {identities[0].fingerprint()}},
                    {NodeId(1), {identities[1].fingerprint()}}}});
  } else {
    return TcpNet(config(self));
  }
}

template <class Net>
void transfer(benchmark::State& state) {
  Net from = make<Net>(0);
  Net to = make<Net>(1);
  std::int64_t received = 0;
  const auto count = [&](NodeId, const Bytes&) { ++received; };
  const auto poll = [&] {
    from.poll(count, std::chrono::nanoseconds(0), 1'000);
    to.poll(count, std::chrono::nanoseconds(0), 1'000);
  };
  from.set_peer_address(NodeId(1), "127.0.0.1", to.port());
  while (!from.connected(NodeId(1)) || !to.connected(NodeId(0))) poll();

  const Bytes frame(std::string(frame_size, 'x'));
  std::int64_t sent = 0;
  for (auto step : state) {
    for (std::int64_t number = 0; number < state.range(0); ++number, ++sent)
      from.send(NodeId(1), FrameClass::batch, frame);
    from.flush();
    while (received < sent) poll();
  }
  state.SetItemsProcessed(sent);
  state.SetBytesProcessed(sent * static_cast<std::int64_t>(frame_size));
}

BENCHMARK_TEMPLATE(transfer, TcpNet)->Arg(1)->Arg(64)->Arg(1024);
BENCHMARK_TEMPLATE(transfer, TlsNet)->Arg(1)->Arg(64)->Arg(1024);

}  // namespace
