// The invariants of a simulation, and the Interceptor that shows them every event.
#ifndef MIRBFT_SIM_WATCH_HPP
#define MIRBFT_SIM_WATCH_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <mirbft/engine/module_description.hpp>
#include <mirbft/events/app.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/fingerprint.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::sim {

namespace detail {

template <class E>
inline constexpr bool appends = false;
template <class Entry>
inline constexpr bool appends<WalAppend<Entry>> = true;

}  // namespace detail

/// Invariants that are checked together. Each is a class with any of
///
///     void submitted(const Request&, Time now)                  a client has made it
///     void signed_by_faulty(const Request&)                     a faulty client has made it
///     void answered(ClientId, ReqNo, const Bytes& result, Time now)   and believes the result
///     void event(NodeId, const E&, Findings&)                   a correct node dispatches an event
///     void event(NodeId, Slot, const E&, Findings&)             the same: to one of its receivers
///     void frame(const Frame&, Findings&)                       a frame is sent, by whomever
///     void disk(NodeId, const Disk&)                            of a correct node, before all else
///     void durable(NodeId, const Entry&, Findings&)             an entry of a correct node's log
///                                                               survives crashes from now on
///     void durable(NodeId, const Record&, Findings&)            the same as it is on the disk
///     void started(NodeId), void crashed(NodeId)
///     void wiped(NodeId), void wiped(NodeId, Findings&)         it has lost its disk
///     void distrusted(NodeId)                                   it counts as faulty from now on
///     void looked(NodeId, const Replica&, Findings&)            a correct node, between its lists
///     void ended(Findings&)                                     the run is over
///
/// `event` and `durable` may be overloaded or templates: they are called for what they take. An
/// invariant reports what it finds, and never throws.
template <class... Invariants>
class Checks {
 public:
  Checks() = default;
  explicit Checks(Invariants... invariants)
    requires(sizeof...(Invariants) != 0)
      : all_(std::move(invariants)...) {}

  template <class Invariant>
  Invariant& get() noexcept {
    return std::get<Invariant>(all_);
  }

  void submitted(const Request& request, Time now) {
    each([&](auto& one) {
      if constexpr (requires { one.submitted(request, now); }) one.submitted(request, now);
    });
  }
  void signed_by_faulty(const Request& request) {
    each([&](auto& one) {
      if constexpr (requires { one.signed_by_faulty(request); }) one.signed_by_faulty(request);
    });
  }
  void answered(ClientId client, ReqNo req_no, const Bytes& result, Time now) {
    each([&](auto& one) {
      if constexpr (requires { one.answered(client, req_no, result, now); })
        one.answered(client, req_no, result, now);
    });
  }
  template <class E>
  void event(NodeId node, Slot slot, const E& event, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.event(node, event, findings); })
        one.event(node, event, findings);
      if constexpr (requires { one.event(node, slot, event, findings); })
        one.event(node, slot, event, findings);
    });
  }
  void frame(const auto& frame, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.frame(frame, findings); }) one.frame(frame, findings);
    });
  }
  void disk(NodeId node, const auto& disk) {
    each([&](auto& one) {
      if constexpr (requires { one.disk(node, disk); }) one.disk(node, disk);
    });
  }
  /// `Es` are the events of the Node: one of them appends such a record.
  template <class... Es>
  void durable(NodeId node, const auto& record, events<Es...>, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.durable(node, record, findings); })
        one.durable(node, record, findings);
    });
    (void)(durable_as<Es>(node, record, findings) || ...);
  }
  void started(NodeId node) {
    each([&](auto& one) {
      if constexpr (requires { one.started(node); }) one.started(node);
    });
  }
  void crashed(NodeId node) {
    each([&](auto& one) {
      if constexpr (requires { one.crashed(node); }) one.crashed(node);
    });
  }
  void wiped(NodeId node, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.wiped(node); }) one.wiped(node);
      if constexpr (requires { one.wiped(node, findings); }) one.wiped(node, findings);
    });
  }
  void distrusted(NodeId node) {
    each([&](auto& one) {
      if constexpr (requires { one.distrusted(node); }) one.distrusted(node);
    });
  }
  void looked(NodeId node, const auto& replica, Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.looked(node, replica, findings); })
        one.looked(node, replica, findings);
    });
  }
  void ended(Findings& findings) {
    each([&](auto& one) {
      if constexpr (requires { one.ended(findings); }) one.ended(findings);
    });
  }

 private:
  /// Decodes the record once for all, if it is what an `E` appends and anybody takes that.
  template <class E>
  bool durable_as(NodeId node, const auto& record, Findings& findings) {
    if constexpr (detail::appends<E>) {
      using Entry = typename E::origin_type;
      if (record.type != E::number) return false;
      if constexpr ((takes_durable<Invariants, Entry> || ...))
        if (const auto entry = wire::decode<Entry>(record.entry, wire::Form::lenient))
          each([&](auto& one) {
            if constexpr (takes_durable<std::remove_cvref_t<decltype(one)>, Entry>)
              one.durable(node, *entry, findings);
          });
      return true;
    } else {
      return false;
    }
  }
  template <class Invariant, class Entry>
  static constexpr bool takes_durable =
      requires(Invariant& one, NodeId node, const Entry& entry, Findings& findings) {
        one.durable(node, entry, findings);
      };

  template <class Call>
  void each(Call&& call) {
    std::apply([&](auto&... all) { (call(all), ...); }, all_);
  }

  std::tuple<Invariants...> all_;
};

/// What is seen of a whole cluster: its invariants, what they have found, and the hash of all.
template <class ChecksOfCluster>
struct Observation {
  ChecksOfCluster checks;
  Findings findings;
  Fingerprint fingerprint;
  std::uint64_t events = 0;
  /// The next sequence number of each node's App.
  std::map<NodeId, SeqNr> applied;
};

/// The Interceptor of a simulated node: it notes that events are dispatched, in which order, and
/// shows those of a correct node to the invariants. `Also` is another Interceptor, such as a
/// `FileInterceptor`, that sees the same once it is given.
template <class ChecksOfCluster = Checks<>, class Also = NullInterceptor>
class Watch {
 public:
  using ChecksOfWatch = ChecksOfCluster;

  /// Whether a node is one whose events must keep the rules.
  enum class Subject : std::uint8_t { correct, faulty };

  using Observed = Observation<ChecksOfCluster>;

  Watch(Observed& observation, NodeId node, Subject subject = Subject::correct) noexcept
      : observation_(&observation), node_(node), subject_(subject) {}

  /// Shows everything to `also` as well. Before the node is made.
  void also(Also also) { also_.emplace(std::move(also)); }

  template <class... Es>
  void begin(NodeId self, ByteView cluster, events<Es...> types,
             const std::vector<ModuleDescription>& modules = {}) {
    if (!also_) return;
    if constexpr (engine::TakesDescriptions<Also, events<Es...>>) {
      also_->begin(self, cluster, types, modules);
    } else {
      also_->begin(self, cluster, types);
    }
  }

  template <class List>
  void intercept(Slot slot, const List& list) {
    observation_->fingerprint.add(node_.value << 16 | slot.bits());
    observation_->events += list.size();
    list.for_each([this, slot]<class E>(const E& event) {
      observation_->fingerprint.add(E::number);
      if constexpr (std::is_same_v<E, Apply> || std::is_same_v<E, AppRestoreState>)
        observation_->applied[node_] = event.sn + 1;
      if (subject_ == Subject::correct)
        observation_->checks.event(node_, slot, event, observation_->findings);
    });
    if (also_) also_->intercept(slot, list);
  }
  void end() {
    if (also_) also_->end();
  }

 private:
  Observed* observation_;
  NodeId node_;
  Subject subject_;
  std::optional<Also> also_;
};

}  // namespace mirbft::sim

#endif
