// A whole Node of small parts, each of which a test can replace.
#ifndef MIRBFT_TESTS_SUPPORT_SMALL_NODE_HPP
#define MIRBFT_TESTS_SUPPORT_SMALL_NODE_HPP

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/node.hpp>
#include <mirbft/protocol/solo.hpp>

#include "stub_modules.hpp"

namespace mirbft::testing {

struct ToHash {
  static constexpr auto module = slot::tracker;
  static constexpr std::uint32_t number = 1000;

  Request request;
};

/// Admits every request: hashes, stores and passes it on; answers when it is applied.
struct PlainTracker {
  using consumes = events<NewRequest, HashResult<ToHash>, Applied>;
  using emits = events<HashRequest<ToHash>, StoreVerifiedRequest, RequestReady, Replied>;

  void process(NewRequest fresh, auto& out) {
    std::vector<Bytes> parts{fresh.request.data};
    out.emit(HashRequest<ToHash>{std::move(parts), {std::move(fresh.request)}});
  }
  void process(HashResult<ToHash> hashed, auto& out) {
    Request& request = hashed.origin.request;
    const RequestRef reference{request.client, request.req_no, hashed.digest};
    out.emit(StoreVerifiedRequest{reference, request.data, request.authenticator})
        .then(RequestReady{reference, 1, Spread::by_client});
  }
  void process(const Applied& applied, auto& out) {
    for (const Reply& reply : applied.replies)
      out.emit(Replied{reply.client, reply.req_no, Outcome::delivered, applied.sn, reply.result});
  }
};

/// Answers each request with its own bytes, and remembers them.
struct EchoApp {
  std::vector<Bytes> apply(SeqNr, std::span<const Request> requests) {
    std::vector<Bytes> results;
    for (const Request& request : requests) {
      applied.push_back(request);
      results.push_back(request.data);
    }
    return results;
  }
  Bytes snapshot() { return {}; }
  void restore(ByteView) {}

  std::vector<Request> applied;
};

/// The parts of a small Node; a test derives from this and names what it replaces.
struct SmallParts {
  using Net = StubNet;
  using Hasher = StubHasher;
  using Crypto = StubCrypto;
  using App = EchoApp;
  using Wal = MemoryWal;
  using Tracker = PlainTracker;
  using Store = MemoryStore;
  using Protocol = Solo;
  using Interceptor = NullInterceptor;
};

template <class Parts>
using NodeOf = Node<typename Parts::Net, typename Parts::Hasher, typename Parts::Crypto,
                    typename Parts::App, typename Parts::Wal, typename Parts::Tracker,
                    typename Parts::Store, typename Parts::Protocol, typename Parts::Interceptor>;

using SmallNode = NodeOf<SmallParts>;

inline Request request_of(std::uint64_t client, std::uint64_t req_no) {
  return {ClientId(client), ReqNo(req_no),
          Bytes(std::to_string(client) + "/" + std::to_string(req_no)), {}};
}

}  // namespace mirbft::testing

BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToHash, request);

#endif
