// A client that keeps no rules.
#ifndef MIRBFT_SIM_ADVERSARY_FAULTY_CLIENT_HPP
#define MIRBFT_SIM_ADVERSARY_FAULTY_CLIENT_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/tracker.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// A request on its way from a faulty client.
struct Errand {
  NodeId to;
  Request request;
  Spread spread = Spread::by_client;
};

/// A faulty client: it is asked now and then, does what it likes, and waits for no answers. It may
/// sign in its own name alone.
class FaultyClient {
 public:
  using Sign = std::function<Bytes(const Request&)>;

  FaultyClient(ClientId self, std::vector<NodeId> replicas, Sign sign, Random random)
      : self_(self), replicas_(std::move(replicas)), sign_(std::move(sign)), random_(random) {}
  virtual ~FaultyClient() = default;

  ClientId id() const noexcept { return self_; }
  /// Another client has given this to a replica.
  virtual void overhear(const Request& /*request*/) {}
  /// What it does now.
  virtual std::vector<Errand> act() = 0;

  /// How often it has done what it is named after.
  std::uint64_t acted() const noexcept { return acted_; }

 protected:
  void count() noexcept { ++acted_; }
  Random& random() noexcept { return random_; }
  NodeId any_replica() noexcept { return random_.pick(replicas_); }
  const std::vector<NodeId>& replicas() const noexcept { return replicas_; }

  /// A request of its own. Its commands are about nothing that matters to others.
  Request own(ReqNo number, const std::string& body) const {
    Request request{self_, number, Bytes(body), {}};
    request.authenticator = sign_(request);
    return request;
  }
  std::string command() {
    return "SET of-" + std::to_string(self_.value) + ' ' + std::to_string(random_.below(1000));
  }

 private:
  ClientId self_;
  std::vector<NodeId> replicas_;
  Sign sign_;
  Random random_;
  std::uint64_t acted_ = 0;
};

}  // namespace mirbft::sim

#endif
