// An Interceptor that is there or not, as is decided when the program starts.
#ifndef MIRBFT_MODULES_INTERCEPTOR_OPTIONAL_HPP
#define MIRBFT_MODULES_INTERCEPTOR_OPTIONAL_HPP

#include <optional>
#include <utility>

#include <mirbft/events/event.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Shows everything to `Interceptor` where there is one, and is a branch away from nothing where
/// there is none. A program that knows beforehand names that Interceptor, or `NullInterceptor`.
template <class Interceptor>
class OptionalInterceptor {
 public:
  OptionalInterceptor() = default;
  explicit OptionalInterceptor(Interceptor interceptor) : held_(std::move(interceptor)) {}

  /// `modules` are told to one that takes them.
  template <class Types, class... Modules>
  void begin(NodeId self, ByteView cluster, Types types, const Modules&... modules)
    requires requires(Interceptor& held) { held.begin(self, cluster, types, modules...); }
  {
    if (held_) held_->begin(self, cluster, types, modules...);
  }
  template <class List>
  void intercept(Slot slot, const List& list) {
    if (held_) held_->intercept(slot, list);
  }
  void end() {
    if (held_) held_->end();
  }

 private:
  std::optional<Interceptor> held_;
};

}  // namespace mirbft

#endif
