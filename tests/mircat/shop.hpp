// The shop of include/mirbft/mircat/README.md: its App, and the Node that its replicas are.
#ifndef MIRBFT_TESTS_MIRCAT_SHOP_HPP
#define MIRBFT_TESTS_MIRCAT_SHOP_HPP

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/files/posix.hpp>
#include <mirbft/modules/hasher/openssl.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/wal/segment.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/solo.hpp>

#include "../../examples/custom_module/metering.hpp"

namespace shop {

/// Keeps orders, and tells each customer the day on which the goods are sent.
class Orders : public mirbft::KeyValueStore {
 public:
  /// The mistake: a machine knows its own time zone, and no App may ask it.
  explicit Orders(int hours_from_utc = 0) : hours_from_utc_(hours_from_utc) {}

  std::vector<mirbft::Bytes> apply(mirbft::SeqNr sn, std::span<const mirbft::Request> requests) {
    std::vector<mirbft::Bytes> replies = KeyValueStore::apply(sn, requests);
    const auto hour = static_cast<int>(sn.value) + hours_from_utc_;
    for (mirbft::Bytes& reply : replies)
      reply = mirbft::Bytes(std::string(reply.text()) + " on day " + std::to_string(hour / 24));
    return replies;
  }

 private:
  int hours_from_utc_;
};

/// A clock that goes on by a microsecond a look, so that the page's logs are always the same.
class Steps {
 public:
  std::uint64_t operator()() noexcept { return now_ += 1000; }

 private:
  std::uint64_t now_ = 0;
};

using Replica =
    mirbft::Node<mirbft::LoopbackNet, mirbft::Sha256, mirbft::NullCrypto, example::Ledger<Orders>,
                 mirbft::SegmentWal<mirbft::PosixFiles>, example::MeteringTracker,
                 mirbft::MemoryStore, mirbft::Solo, mirbft::TimedFileInterceptor<Steps>>;

}  // namespace shop

#endif
