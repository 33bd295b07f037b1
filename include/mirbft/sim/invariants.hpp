// Invariants of every total order broadcast, whatever the protocol.
#ifndef MIRBFT_SIM_INVARIANTS_HPP
#define MIRBFT_SIM_INVARIANTS_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/app.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// Names of requests in findings.
inline std::string name_of(ClientId client, ReqNo req_no) {
  return "request " + std::to_string(req_no.value) + " of client " + std::to_string(client.value);
}

/// Agreement: correct nodes deliver one batch for a sequence number. No duplication: a request has
/// one sequence number. Total order: an App sees each number once, ascending, without gaps, from 0
/// or from the state that it was given, and at each number the requests that were delivered there.
class TotalOrder {
 public:
  /// What lies further back is not compared any more, so that long runs do not fill the memory.
  static constexpr std::size_t kept = 1 << 16;

  void started(NodeId node) { next_[node] = restored_[node] = SeqNr(0); }

  void event(NodeId node, const Deliver& delivery, Findings& findings) {
    if (delivery.sn < first_kept_) return;
    const auto [place, is_first] = log_.try_emplace(delivery.sn, delivery.batch);
    if (is_first) {
      ++length_;
      note_requests(node, delivery, findings);
      if (log_.size() > kept) forget_oldest();
    } else if (place->second != delivery.batch) {
      findings.report("agreement", node, delivery.sn,
                      "delivers another batch than a correct node before it: " +
                          std::to_string(delivery.batch->size()) + " requests here, " +
                          std::to_string(place->second->size()) + " there");
    }
  }

  void event(NodeId node, const Apply& apply, Findings& findings) {
    // What a restored state covers and was on its way before it is not applied.
    if (apply.sn < restored_[node]) return;
    SeqNr& next = next_[node];
    if (apply.sn != next)
      findings.report("total order", node, apply.sn,
                      "reaches the App when sn " + std::to_string(next.value) + " is due");
    next = apply.sn + 1;
    if (apply.sn < first_kept_) return;
    const auto chosen = log_.find(apply.sn);
    const auto same = [](const Request& request, const RequestRef& reference) {
      return request.client == reference.client && request.req_no == reference.req_no;
    };
    if (chosen == log_.end() || !std::equal(apply.requests.begin(), apply.requests.end(),
                                            chosen->second->begin(), chosen->second->end(), same))
      findings.report("total order", node, apply.sn,
                      "the App is given other requests than those that were delivered");
  }

  void event(NodeId node, const AppRestoreState& restore, Findings& findings) {
    SeqNr& next = next_[node];
    if (restore.sn + 1 < next)
      findings.report("total order", node, restore.sn,
                      "the App goes back: sn " + std::to_string(next.value) + " is due");
    next = restored_[node] = restore.sn + 1;
  }

  /// How many sequence numbers, and requests, were delivered by any correct node.
  std::size_t length() const noexcept { return length_; }
  std::size_t requests() const noexcept { return requests_; }
  /// Whether a correct node has delivered the request.
  bool has(ClientId client, ReqNo req_no) const { return places_.contains({client, req_no}); }

 private:
  void note_requests(NodeId node, const Deliver& delivery, Findings& findings) {
    for (const RequestRef& reference : *delivery.batch) {
      const auto [place, is_first] =
          places_.try_emplace({reference.client, reference.req_no}, delivery.sn);
      requests_ += is_first;
      if (!is_first)
        findings.report("no duplication", node, delivery.sn,
                        name_of(reference.client, reference.req_no) +
                            " was delivered before, at sn " +
                            std::to_string(place->second.value));
    }
  }

  void forget_oldest() {
    const auto oldest = log_.begin();
    for (const RequestRef& reference : *oldest->second)
      places_.erase({reference.client, reference.req_no});
    first_kept_ = oldest->first + 1;
    log_.erase(oldest);
  }

  std::map<SeqNr, Batch> log_;
  std::map<std::pair<ClientId, ReqNo>, SeqNr> places_;
  SeqNr first_kept_;
  std::size_t length_ = 0;
  std::size_t requests_ = 0;
  std::map<NodeId, SeqNr> next_;
  std::map<NodeId, SeqNr> restored_;
};

/// Integrity: what an App is given was submitted by that client under that number, byte for byte.
class Integrity {
 public:
  void submitted(const Request& request, Time) { signed_by_faulty(request); }
  /// A faulty client may sign several bodies under one number.
  void signed_by_faulty(const Request& request) {
    std::vector<Bytes>& bodies = bodies_[{request.client, request.req_no}];
    if (std::find(bodies.begin(), bodies.end(), request.data) == bodies.end())
      bodies.push_back(request.data);
  }

  void event(NodeId node, const Apply& apply, Findings& findings) {
    for (const Request& request : apply.requests) {
      const auto found = bodies_.find({request.client, request.req_no});
      if (found == bodies_.end() ||
          std::find(found->second.begin(), found->second.end(), request.data) ==
              found->second.end())
        findings.report("integrity", node, apply.sn,
                        name_of(request.client, request.req_no) +
                            " was never submitted with this body");
    }
  }

 private:
  std::map<std::pair<ClientId, ReqNo>, std::vector<Bytes>> bodies_;
};

}  // namespace mirbft::sim

#endif
