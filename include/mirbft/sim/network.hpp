// The network of a simulation, and the Net module that a node reaches it by.
#ifndef MIRBFT_SIM_NETWORK_HPP
#define MIRBFT_SIM_NETWORK_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/fault.hpp>
#include <mirbft/sim/random.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft::sim {

/// A frame as a node sends it.
struct Frame {
  NodeId from;
  NodeId to;
  FrameClass kind = FrameClass::vote;
  Bytes payload;
};

/// What becomes of a frame, or of a part of it.
struct Passage {
  Bytes payload;
  /// Beyond what it takes anyhow. What is late is overtaken by others.
  Time late{};
};

/// How the links behave; rates are of a thousand frames.
struct LinkRates {
  /// What an ordinary frame takes, at least and at most.
  Time shortest = std::chrono::microseconds(50);
  Time longest = std::chrono::milliseconds(1);
  std::uint32_t loss = 0;
  std::uint32_t duplication = 0;
  std::uint32_t reordering = 0;
  std::uint32_t delay = 0;
  /// What a delayed frame takes, at most.
  Time longest_delay = std::chrono::milliseconds(500);

  friend bool operator==(const LinkRates&, const LinkRates&) = default;
};

/// Links in one direction that carry nothing, for one reason.
struct Cut {
  Fault kind = Fault::symmetric_partition;
  /// From whom to whom.
  std::vector<std::pair<NodeId, NodeId>> links;
};

/// What a `Net` has done, in frames.
struct NetStatus {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  /// Sent to nobody in the network, or longer than its class allows.
  std::uint64_t refused = 0;
};

class Net;

/// Carries frames between members, late, in disorder, twice or never: as its rates and its random
/// numbers say. What arrives waits in the receiver's inbox until its `Net` is polled.
class Network {
 public:
  /// `clock` must outlive the network.
  Network(std::vector<NodeId> members, const Clock& clock, Random random, LinkRates rates = {})
      : members_(std::move(members)), clock_(clock), random_(random), rates_(rates) {
    std::sort(members_.begin(), members_.end());
    for (std::size_t i = 0; i < members_.size(); ++i)
      ends_.push_back(std::make_unique<End>(End{this, i, false, {}, 0}));
    links_.resize(members_.size() * members_.size());
  }
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// A member's way in, until it is destroyed; then what waits for it is lost, and what arrives
  /// too. Throws ConfigError if there is one already, or no such member.
  Net connect(NodeId self);

  /// Calls `tap(frame)` for every frame that is sent, whatever becomes of it.
  void tap(std::function<void(const Frame&)> tap) { tap_ = std::move(tap); }

  /// Asks `judge(frame)` what becomes of every frame that is sent: each of its passages goes on as
  /// a frame of its own, and there may be none.
  void judge(std::function<std::vector<Passage>(const Frame&)> judge) {
    judge_ = std::move(judge);
  }

  const std::vector<NodeId>& members() const noexcept { return members_; }
  LinkRates& rates() noexcept { return rates_; }
  const FaultCounts& faults() const noexcept { return faults_; }
  std::uint64_t frames() const noexcept { return frames_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

  /// When the next frame arrives; `never` if none is on its way.
  Time next_arrival() const noexcept { return flights_.next(); }
  /// Puts the next frame into its receiver's inbox, and says whose that is.
  NodeId arrive() {
    Flight flight = flights_.take();
    End& end = *ends_[flight.to];
    if (end.open) end.inbox.push_back({members_[flight.from], std::move(flight.payload)});
    return members_[flight.to];
  }

  /// The links of `cut` carry nothing until it is mended. Cuts may overlap.
  void cut(const Cut& cut) {
    for (const auto& [from, to] : cut.links) {
      Link& link = this->link(place(from), place(to));
      ++link.cuts;
      link.cut_by = cut.kind;
    }
  }
  void mend(const Cut& cut) {
    for (const auto& [from, to] : cut.links) {
      Link& link = this->link(place(from), place(to));
      if (link.cuts != 0) --link.cuts;
    }
  }
  /// A link holds back everything until `until`, then carries it in order.
  void clog(NodeId from, NodeId to, Time until) {
    Link& link = this->link(place(from), place(to));
    link.clogged_until = std::max(link.clogged_until, until);
  }
  /// Nothing is cut, clogged or judged any more, and from now on every frame arrives once and in
  /// order. What is on its way already is not hurried.
  void heal() {
    for (Link& link : links_) {
      link.cuts = 0;
      link.clogged_until = {};
    }
    rates_ = {};
    judge_ = {};
  }
  /// For those who judge: that a fault has struck.
  void count(Fault kind) noexcept { faults_.count(kind); }

 private:
  friend class Net;

  struct Flight {
    std::size_t from;
    std::size_t to;
    Bytes payload;
  };
  struct Arrived {
    NodeId from;
    Bytes payload;
  };
  struct End {
    Network* network;
    std::size_t place;
    bool open;
    std::vector<Arrived> inbox;
    std::size_t taken;
  };
  struct Link {
    std::uint32_t cuts = 0;
    Fault cut_by = Fault::symmetric_partition;
    Time clogged_until{};
    Time last_arrival{};
  };

  /// The place among the members; their number for others.
  std::size_t find(NodeId id) const noexcept {
    const auto found = std::lower_bound(members_.begin(), members_.end(), id);
    return found != members_.end() && *found == id
               ? static_cast<std::size_t>(found - members_.begin())
               : members_.size();
  }
  std::size_t place(NodeId id) const {
    const std::size_t found = find(id);
    if (found == members_.size())
      throw ConfigError("node", std::to_string(id.value), "is no member of the network");
    return found;
  }
  Link& link(std::size_t from, std::size_t to) noexcept {
    return links_[from * members_.size() + to];
  }

  void send(std::size_t from, std::size_t to, FrameClass kind, const Bytes& payload) {
    ++frames_;
    bytes_ += payload.size();
    const Frame frame{members_[from], members_[to], kind, payload};
    if (tap_) tap_(frame);
    if (!judge_) return carry({from, to, payload}, {});
    for (const Passage& passage : judge_(frame)) carry({from, to, passage.payload}, passage.late);
  }

  void carry(const Flight& flight, Time late) {
    const Link& link = this->link(flight.from, flight.to);
    if (link.cuts != 0) return faults_.count(link.cut_by);
    if (strikes(rates_.loss, Fault::loss)) return;
    fly(flight, late);
    if (strikes(rates_.duplication, Fault::duplication)) fly(flight, late);
  }

  void fly(Flight flight, Time late) {
    Link& link = this->link(flight.from, flight.to);
    Time arrival = clock_.now() + late + random_.between(rates_.shortest, rates_.longest);
    if (arrival < link.clogged_until) {
      faults_.count(Fault::clog);
      arrival = link.clogged_until;
    }
    if (strikes(rates_.delay, Fault::delay)) arrival += random_.between({}, rates_.longest_delay);
    if (strikes(rates_.reordering, Fault::reordering)) {
      arrival += random_.between({}, 4 * rates_.longest);
    } else if (late == Time{}) {
      arrival = link.last_arrival = std::max(arrival, link.last_arrival);
    }
    flights_.at(arrival, std::move(flight));
  }

  bool strikes(std::uint32_t per_mille, Fault kind) noexcept {
    if (!random_.chance(per_mille)) return false;
    faults_.count(kind);
    return true;
  }

  std::vector<NodeId> members_;
  const Clock& clock_;
  Random random_;
  LinkRates rates_;
  std::function<void(const Frame&)> tap_;
  std::function<std::vector<Passage>(const Frame&)> judge_;
  std::vector<std::unique_ptr<End>> ends_;
  std::vector<Link> links_;
  Agenda<Flight> flights_;
  FaultCounts faults_;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
};

/// The Net module of a simulated node. It never waits: time is not its own.
class Net {
 public:
  void send(NodeId to, FrameClass kind, const Bytes& payload) {
    const std::size_t place = end_->network->find(to);
    if (place == end_->network->members_.size() || payload.size() > frame_limit(kind)) {
      ++status_.refused;
      return;
    }
    ++status_.sent;
    end_->network->send(end_->place, place, kind, payload);
  }
  void flush() noexcept {}

  template <class Sink>
  void poll(Sink&& sink, std::chrono::nanoseconds /*at_most*/, std::size_t max_frames) {
    auto& [network, place, open, inbox, taken] = *end_;
    for (; taken < inbox.size() && max_frames != 0; --max_frames) {
      Network::Arrived& arrived = inbox[taken++];
      ++status_.received;
      sink(arrived.from, std::move(arrived.payload));
    }
    if (taken < inbox.size()) return;
    inbox.clear();
    taken = 0;
  }
  void wake() noexcept {}
  void close() noexcept {}
  /// Virtual time: for who stands in between, such as an adversary.
  Time now() const noexcept { return end_->network->clock_.now(); }

  NetStatus status() const noexcept { return status_; }

 private:
  friend class Network;

  struct Disconnect {
    void operator()(Network::End* end) const noexcept {
      end->open = false;
      end->inbox.clear();
      end->taken = 0;
    }
  };

  explicit Net(Network::End& end) noexcept : end_(&end) { end.open = true; }

  std::unique_ptr<Network::End, Disconnect> end_;
  NetStatus status_;
};

inline Net Network::connect(NodeId self) {
  End& end = *ends_[place(self)];
  if (end.open)
    throw ConfigError("node", std::to_string(self.value), "is connected already; once is enough");
  return Net(end);
}

/// All links between the two groups, in both directions.
inline Cut symmetric_partition(const std::vector<NodeId>& left, const std::vector<NodeId>& right) {
  Cut cut{Fault::symmetric_partition, {}};
  for (const NodeId one : left)
    for (const NodeId other : right) {
      cut.links.push_back({one, other});
      cut.links.push_back({other, one});
    }
  return cut;
}
/// All links from `mute` to `others`: these are not heard, and hear everything.
inline Cut asymmetric_partition(const std::vector<NodeId>& mute,
                                const std::vector<NodeId>& others) {
  Cut cut{Fault::asymmetric_partition, {}};
  for (const NodeId from : mute)
    for (const NodeId to : others) cut.links.push_back({from, to});
  return cut;
}
/// As a symmetric one; who is in neither group hears both and is heard by both.
inline Cut bridge_partition(const std::vector<NodeId>& left, const std::vector<NodeId>& right) {
  Cut cut = symmetric_partition(left, right);
  cut.kind = Fault::bridge_partition;
  return cut;
}

}  // namespace mirbft::sim

BOOST_HANA_ADAPT_STRUCT(mirbft::sim::NetStatus, sent, received, refused);

#endif
