// Whether what the clients of a run have seen is what one machine, serving one request after
// another, could have shown them.
#ifndef MIRBFT_SIM_LINEARIZABILITY_HPP
#define MIRBFT_SIM_LINEARIZABILITY_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/sim/agenda.hpp>
#include <mirbft/sim/clock.hpp>
#include <mirbft/sim/findings.hpp>
#include <mirbft/sim/invariants.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>

namespace mirbft::sim {

/// A request as its client saw it.
struct Operation {
  ClientId client{};
  ReqNo req_no{};
  Bytes request;
  Time invoked{};
  /// `never` if there was no answer: it may have had its effect at any time since, or none yet.
  Time returned = never;
  Bytes result;
};

/// What is known of a history. `undecided` after `most_steps`: too many operations overlap.
enum class Linearizability : std::uint8_t { holds, broken, undecided };

namespace detail {

template <class Model>
struct LinearizabilitySearch {
  using State = typename Model::State;

  std::vector<Operation> all;
  std::uint64_t steps_left;
  std::vector<bool> placed = std::vector<bool>(all.size(), false);
  std::set<std::pair<std::vector<bool>, State>> seen{};

  /// Whether those that are not placed can follow `state`.
  bool goes_on(const State& state, std::size_t left) {
    if (left == 0) return true;
    if (steps_left == 0) return false;
    --steps_left;
    const Time first_return = earliest_return();
    for (std::size_t i = 0; i < all.size(); ++i) {
      // One that begins after another has ended cannot come before it.
      if (placed[i] || all[i].invoked > first_return) continue;
      State after = state;
      const Bytes result = Model::apply(after, all[i].request);
      if (all[i].returned != never && result != all[i].result) continue;
      placed[i] = true;
      if (seen.emplace(placed, after).second && goes_on(after, left - 1)) return true;
      placed[i] = false;
    }
    return false;
  }
  Time earliest_return() const {
    Time earliest = never;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (!placed[i]) earliest = std::min(earliest, all[i].returned);
    return earliest;
  }
};

}  // namespace detail

/// Linearizability (Herlihy and Wing, TOPLAS 1990): there is an order of all operations in which
/// each gives its result, and which keeps the real-time order of those that did not overlap.
///
/// `Model` is the service on one machine, and small:
///
///     using State = …;                                        copyable, ordered
///     static std::string part(const Bytes& request)           requests on different parts of the
///                                                             state do not see one another
///     static Bytes apply(State& state, const Bytes& request)  returns the result
///
/// Depth-first search over the orders, without the same set of operations and state twice (Wing
/// and Gong, JPDC 1993; Lowe, "Testing for linearizability", 2017). Exponential in the number of
/// operations that overlap.
template <class Model>
Linearizability linearizability(std::vector<Operation> history,
                                std::uint64_t most_steps = 200'000) {
  // Those that ended first are tried first: most often that is the order.
  std::ranges::stable_sort(history, {}, &Operation::returned);
  const std::size_t size = history.size();
  detail::LinearizabilitySearch<Model> search{std::move(history), most_steps};
  if (search.goes_on({}, size)) return Linearizability::holds;
  return search.steps_left == 0 ? Linearizability::undecided : Linearizability::broken;
}

/// The check of a whole run, part by part of the service's state. At the first answer that no order
/// explains it names the request.
template <class Model>
class Linearizable {
 public:
  void submitted(const Request& request, Time now) {
    const auto [place, is_new] =
        places_.try_emplace({request.client, request.req_no}, operations_.size());
    if (is_new)
      operations_.push_back({request.client, request.req_no, request.data, now, never, {}});
  }
  void answered(ClientId client, ReqNo req_no, const Bytes& result, Time now) {
    Operation& operation = operations_[places_.at({client, req_no})];
    operation.returned = now;
    operation.result = result;
  }

  void ended(Findings& findings) {
    std::map<std::string, std::vector<Operation>> parts;
    for (const Operation& operation : operations_)
      parts[Model::part(operation.request)].push_back(operation);
    for (auto& [name, history] : parts)
      switch (linearizability<Model>(history)) {
        case Linearizability::holds: break;
        case Linearizability::undecided: ++undecided_; break;
        case Linearizability::broken: report(name, std::move(history), findings);
      }
  }

  /// Parts of which nothing is known.
  std::uint64_t undecided() const noexcept { return undecided_; }

 private:
  /// The history up to an answer: what came later had not happened then.
  static std::vector<Operation> until(const std::vector<Operation>& history, Time end) {
    std::vector<Operation> before;
    for (Operation operation : history) {
      if (operation.invoked > end) continue;
      if (operation.returned > end) operation.returned = never;
      before.push_back(std::move(operation));
    }
    return before;
  }

  static void report(const std::string& part, std::vector<Operation> history, Findings& findings) {
    std::ranges::sort(history, {}, &Operation::returned);
    const auto wrong = std::find_if(history.begin(), history.end(), [&](const Operation& one) {
      return linearizability<Model>(until(history, one.returned)) == Linearizability::broken;
    });
    const Operation& answer = wrong == history.end() ? history.back() : *wrong;
    findings.report("linearizability", {}, std::nullopt,
                    name_of(answer.client, answer.req_no) + ", '" +
                        std::string(answer.request.text()) + "', was answered '" +
                        std::string(answer.result.text()) +
                        "', which no order of the requests on '" + part + "' explains");
  }

  std::vector<Operation> operations_;
  std::uint64_t undecided_ = 0;
  std::map<std::pair<ClientId, ReqNo>, std::size_t> places_;
};

}  // namespace mirbft::sim

#endif
