// What can be wrong with the wiring of a Node, in sentences that a compiler prints.
#ifndef MIRBFT_ENGINE_ASSERTIONS_HPP
#define MIRBFT_ENGINE_ASSERTIONS_HPP

#include <cstdint>

namespace mirbft::engine::wiring {

// A flaw in the wiring is a type whose name reads as a sentence, so that the compiler's first line
// says it: `event<Applied>::emitted_by<MyApp>::is_not_handled_by<MyTracker>`. It is only named
// where it is found; as a base class of Node it is looked into, and its assertion says what to do.
// So a flaw makes one error, without a cascade.

/// False, but not before the types are there; a compiler shows them with the assertion.
template <class... Ts>
inline constexpr bool fits = false;

template <class M>
struct module {
  template <class NoList>
  struct declares_no_list_but {
    static_assert(fits<M, NoList>,
                  "[mirbft] `consumes` and `emits` are lists of events: write `using emits = "
                  "events<...>;`");
  };
};

template <class E>
struct event {
  template <class M>
  struct emitted_by {
    /// `D` is the module in the event's destination.
    template <class D>
    struct is_not_handled_by {
      static_assert(fits<E, M, D>,
                    "[mirbft] nobody handles this event: add it to `consumes` of the module in its "
                    "destination slot, or take it out of the `emits` of the module it comes from");
    };
    template <class AndSo>
    struct has_no_destination {
      static_assert(fits<E, M, AndSo>,
                    "[mirbft] this type is no event: give it `static constexpr auto destination = "
                    "slot::...;` and `static constexpr std::uint32_t number = ...;`");
    };
    template <class Origin>
    struct is_for_an_origin_without_module {
      static_assert(fits<E, M, Origin>,
                    "[mirbft] nobody could get the answer: give the origin `static constexpr auto "
                    "module = slot::...;` and `static constexpr std::uint32_t number = ...;`");
    };
    template <class Declared>
    struct is_not_declared_among {
      static_assert(fits<E, M, Declared>,
                    "[mirbft] this module emits an event that it does not declare: add the event "
                    "to the module's `using emits = events<...>;`");
    };
    template <class AndSo>
    struct goes_to_several_and_has_follow_ups {
      static_assert(fits<E, M, AndSo>,
                    "[mirbft] a broadcast has no follow-ups: chain them to an event with a single "
                    "destination");
    };
  };

  template <class M>
  struct consumed_by {
    template <class AndSo>
    struct without_process {
      static_assert(fits<E, M, AndSo>,
                    "[mirbft] the module lists this event in `consumes`, so give it a public "
                    "`void process(Event, auto& out)`, and just one that fits");
    };
    template <class Result>
    struct with_process_returning {
      static_assert(fits<E, M, Result>,
                    "[mirbft] `process` must be declared to return void: what it has to say it "
                    "emits into `out`");
    };
    template <class Task>
    struct but_handled_by {
      static_assert(fits<E, M, Task>,
                    "[mirbft] the engine turns this event into calls of the module, so `process` "
                    "would never be called: take the event out of `consumes`");
    };
  };

  template <class Other>
  struct and_event {
    template <std::uint32_t Number>
    struct have_the_same_number {
      static_assert(fits<E, Other>,
                    "[mirbft] numbers name events in logs, so no two events of a Node may share "
                    "one: give one of these another `number`");
    };
  };
};

}  // namespace mirbft::engine::wiring

#endif
