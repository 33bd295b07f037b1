// What the engine reads off a module type: its lists of events, its placement, its status.
#ifndef MIRBFT_ENGINE_MODULE_TRAITS_HPP
#define MIRBFT_ENGINE_MODULE_TRAITS_HPP

#include <cstddef>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>

namespace mirbft {

/// Where the threaded driver runs a module. A module type may declare
/// `using placement = placement::thread;`; the wrappers below overrule it.
namespace placement {
/// On the dispatching thread: right for whatever is cheaper than waking a thread (28 to 48 µs).
struct dispatcher {
  static constexpr std::size_t threads = 0;
};
/// On a thread of its own, which gets whole lists: that is the group commit.
struct thread {
  static constexpr std::size_t threads = 1;
};
/// Each list is split among N threads; the module's calls must be `const` and thread-safe.
template <std::size_t N>
struct pool {
  static_assert(N > 0, "[mirbft] a pool needs at least one thread: name N in pool<N>");
  static constexpr std::size_t threads = N;
};
}  // namespace placement

/// Module `M`, run on the dispatching thread whatever it declares.
template <class M>
struct inline_ {};
/// Module `M`, run on a thread of its own.
template <class M>
struct on_thread {};
/// Module `M`, run on a pool of `N` threads.
template <class M, std::size_t N>
struct on_pool {};

namespace engine {

template <class M>
concept DeclaresPlacement = requires { typename M::placement; };
template <class M>
concept DeclaresConsumes = requires { typename M::consumes; };
template <class M>
concept DeclaresEmits = requires { typename M::emits; };

/// `M`, or what a placement wrapper wraps, and where it runs.
template <class M>
struct Placed {
  using module = M;
  using where = placement::dispatcher;
};
template <DeclaresPlacement M>
struct Placed<M> {
  using module = M;
  using where = typename M::placement;
};
template <class M>
struct Placed<inline_<M>> {
  using module = M;
  using where = placement::dispatcher;
};
template <class M>
struct Placed<on_thread<M>> {
  using module = M;
  using where = placement::thread;
};
template <class M, std::size_t N>
struct Placed<on_pool<M, N>> {
  using module = M;
  using where = placement::pool<N>;
};

template <class M>
using module_of = typename Placed<M>::module;

template <class List>
inline constexpr bool is_list_of_events = false;
template <class... Es>
inline constexpr bool is_list_of_events<events<Es...>> = true;

template <class M>
struct ConsumedBy {
  using type = events<>;
};
template <DeclaresConsumes M>
  requires is_list_of_events<typename M::consumes>
struct ConsumedBy<M> {
  using type = typename M::consumes;
};

template <class M>
struct EmittedBy {
  using type = events<>;
};
template <DeclaresEmits M>
  requires is_list_of_events<typename M::emits>
struct EmittedBy<M> {
  using type = typename M::emits;
};

/// The events that `M` handles by `process(E, out)`; none where it does not say.
template <class M>
using consumes_of = typename ConsumedBy<M>::type;
/// The events that `M` may emit.
template <class M>
using emits_of = typename EmittedBy<M>::type;

/// What a module reports when it reports nothing.
struct NoStatus {};

template <class M>
concept HasStatus = requires(const M& module) { module.status(); };

template <class M>
auto status_of(const M& module) {
  if constexpr (HasStatus<M>) {
    return module.status();
  } else {
    return NoStatus{};
  }
}

}  // namespace engine
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::engine::NoStatus);

#endif
