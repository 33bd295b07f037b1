// The Store's duty: bodies of requests, kept until a checkpoint covers them.
#ifndef MIRBFT_ENGINE_TASKS_STORE_HPP
#define MIRBFT_ENGINE_TASKS_STORE_HPP

#include <string>
#include <type_traits>
#include <utility>

#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/events/app.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::engine {

template <class Module, class Protocol>
struct TaskOf<slot::store.index(), Module, Protocol> {
  using emits = events<Apply>;
  template <class E>
  static constexpr bool handles =
      std::is_same_v<E, StoreVerifiedRequest> || std::is_same_v<E, Deliver> ||
      std::is_same_v<E, CollectRequests> || is_instance<FetchRequests, E>;
  template <class E>
  static constexpr bool alone = true;

  explicit TaskOf(const NodeConfig& /*config*/) {}

  void process(Module& store, StoreVerifiedRequest&& request, auto& /*out*/) {
    store.put(request.reference, std::move(request.data), std::move(request.authenticator));
    unsynced_ = true;
  }

  void process(Module& store, Deliver&& delivery, auto& out) {
    Apply apply{delivery.sn, {}};
    apply.requests.reserve(delivery.batch->size());
    for (const RequestRef& reference : *delivery.batch) {
      const Request* request = store.get(reference);
      if (!request) throw ModuleFailure(missing(delivery.sn, reference));
      apply.requests.push_back(*request);
    }
    store.delivered(delivery.sn, std::move(delivery.batch));
    out.emit(std::move(apply));
  }

  template <class Origin>
  void process(Module& store, FetchRequests<Origin>&& request, auto& out) {
    RequestsFetched<Origin> fetched{{}, {}, std::move(request.origin)};
    for (const RequestRef& reference : request.references) {
      if (const Request* found = store.get(reference)) {
        fetched.found.push_back(*found);
      } else {
        fetched.absent.push_back(reference);
      }
    }
    out.emit(std::move(fetched));
  }

  void process(Module& store, CollectRequests&& collect, auto& /*out*/) {
    store.collect(collect.collection);
  }

  void finish(Module& store, auto& /*out*/) {
    if (std::exchange(unsynced_, false)) store.sync();
  }

 private:
  static std::string missing(SeqNr sn, const RequestRef& reference) {
    return "sequence number " + std::to_string(sn.value) + " delivers request " +
           std::to_string(reference.req_no.value) + " of client " +
           std::to_string(reference.client.value) + ", whose body the store does not have";
  }

  bool unsynced_ = false;
};

}  // namespace mirbft::engine

#endif
