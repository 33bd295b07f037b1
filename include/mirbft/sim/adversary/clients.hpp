// The ways of faulty clients, and of those who speak in others' names.
#ifndef MIRBFT_SIM_ADVERSARY_CLIENTS_HPP
#define MIRBFT_SIM_ADVERSARY_CLIENTS_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/adversary/faulty_client.hpp>
#include <mirbft/sim/adversary/spoiled.hpp>

namespace mirbft::sim::byzantine {

/// A client that remembers what others have asked for lately.
class Eavesdropper : public FaultyClient {
 public:
  using FaultyClient::FaultyClient;

  void overhear(const Request& request) override {
    heard_.push_back(request);
    if (heard_.size() > kept) heard_.pop_front();
  }

 protected:
  static constexpr std::size_t kept = 64;

  std::deque<Request> heard_;
};

/// Speaks in others' names: other requests under their numbers, or under numbers yet to come.
class ForgedRequests : public Eavesdropper {
 public:
  using Eavesdropper::Eavesdropper;

  std::vector<Errand> act() override {
    if (heard_.empty()) return {};
    count();
    Request request = random().pick(heard_);
    request.data = spoiled(request.data, random());
    if (random().chance(300)) request.req_no = request.req_no + random().below(50);
    if (random().chance(300)) request.authenticator = {};
    return {{any_replica(), std::move(request),
             random().chance(500) ? Spread::by_client : Spread::by_replica}};
  }
};

/// Says what others have said, byte for byte, perhaps long after.
class ReplayedRequests : public Eavesdropper {
 public:
  using Eavesdropper::Eavesdropper;

  std::vector<Errand> act() override {
    if (heard_.empty()) return {};
    count();
    return {{any_replica(), random().pick(heard_), Spread::by_replica}};
  }
};

/// Signs two payloads under each number, and gives the replicas one or the other.
class TwoPayloads : public FaultyClient {
 public:
  using FaultyClient::FaultyClient;

  std::vector<Errand> act() override {
    count();
    const ReqNo number(next_++);
    const Request either[] = {own(number, command() + " a"), own(number, command() + " b")};
    std::vector<Errand> errands;
    for (const NodeId to : replicas())
      errands.push_back({to, either[random().below(2)],
                         random().chance(500) ? Spread::by_client : Spread::by_replica});
    return errands;
  }

 private:
  std::uint64_t next_ = 0;
};

/// Uses numbers far beyond its window, and in it leaves gaps; more at a time than it may.
class WindowFlood : public FaultyClient {
 public:
  using FaultyClient::FaultyClient;

  std::vector<Errand> act() override {
    count();
    std::vector<Errand> errands;
    for (int i = 0; i < at_once; ++i) {
      const ReqNo number(random().next() >> random().below(64));
      errands.push_back({any_replica(), own(number, command())});
    }
    return errands;
  }

 private:
  static constexpr int at_once = 20;
};

/// Signs what no service understands: nothing, noise, or too much.
class MalformedRequests : public FaultyClient {
 public:
  using FaultyClient::FaultyClient;

  std::vector<Errand> act() override {
    count();
    return {{any_replica(), own(ReqNo(next_++), body()), Spread::by_replica}};
  }

 private:
  std::string body() {
    if (random().chance(50)) return std::string(100u << 10, 'x');
    std::string text(random().below(40), ' ');
    for (char& letter : text) letter = static_cast<char>(random().next());
    return text;
  }

  std::uint64_t next_ = 0;
};

}  // namespace mirbft::sim::byzantine

#endif
