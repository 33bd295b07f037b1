// An Interceptor that looks away: what a Node has in production.
#ifndef MIRBFT_MODULES_INTERCEPTOR_NULL_HPP
#define MIRBFT_MODULES_INTERCEPTOR_NULL_HPP

#include <mirbft/events/event.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Records nothing and costs nothing: every call is empty and disappears in the compiler.
class NullInterceptor {
 public:
  template <class... Events>
  constexpr void begin(NodeId, ByteView, events<Events...>) const noexcept {}
  template <class List>
  constexpr void intercept(Slot, const List&) const noexcept {}
  constexpr void end() const noexcept {}
};

}  // namespace mirbft

#endif
