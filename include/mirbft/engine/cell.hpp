// Storage for one event of a fixed set, filled once and emptied once by a generated visitor.
#ifndef MIRBFT_ENGINE_CELL_HPP
#define MIRBFT_ENGINE_CELL_HPP

#include <memory>
#include <utility>
#include <variant>

#include <mirbft/types/visit.hpp>

namespace mirbft::engine {

/// A `std::variant` whose life the engine controls: libstdc++ destroys and moves variants of
/// twelve or more alternatives through a table of functions, so neither ever happens here. The
/// event moves in, and out again or to its end, by `visit_alternative`.
template <class... Es>
class Cell {
 public:
  using Variant = std::variant<Es...>;

  Cell() noexcept {}
  ~Cell() {}
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  /// Requires an empty cell.
  template <class E>
  E& put(E&& event) {
    std::construct_at(&variant_, std::in_place_type<E>, std::move(event));
    return *std::get_if<E>(&variant_);
  }

  /// Hands the event to `use(E&&)` and empties the cell, also when `use` throws.
  template <class Use>
  void take(Use&& use) {
    visit_alternative(variant_, [&use](auto& event) {
      struct Emptied {
        decltype(event) held;
        ~Emptied() { std::destroy_at(&held); }
      } emptied{event};
      use(std::move(event));
    });
  }

  /// Calls `look(const E&)`. Requires a filled cell.
  template <class Look>
  void peek(Look&& look) const {
    visit_alternative(const_cast<Variant&>(variant_),
                      [&look](auto& event) { look(std::as_const(event)); });
  }

 private:
  union {
    Variant variant_;
  };
};

}  // namespace mirbft::engine

#endif
