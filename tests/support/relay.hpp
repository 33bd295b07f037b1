// Events of a user's own, and modules in any slot that pass them on.
#ifndef MIRBFT_TESTS_SUPPORT_RELAY_HPP
#define MIRBFT_TESTS_SUPPORT_RELAY_HPP

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/engine/plan.hpp>
#include <mirbft/events/event.hpp>

#include "stub_modules.hpp"

namespace mirbft::testing {

/// An event for slot `To`. The `body` shows a sanitizer what is lost or destroyed twice.
template <std::size_t To>
struct Ball {
  static constexpr Slot destination{1 << To};
  static constexpr std::uint32_t number = 1000 + To;
  static constexpr std::string_view wire_name = std::array<std::string_view, 8>{
      "ToTracker", "ToHasher", "ToCrypto", "ToStore", "ToProtocol", "ToWal", "ToApp", "ToNet"}[To];

  std::uint64_t value = 0;
  Bytes body{"a ball"};
};
using ToTracker = Ball<slot::tracker.index()>;
using ToHasher = Ball<slot::hasher.index()>;
using ToCrypto = Ball<slot::crypto.index()>;
using ToStore = Ball<slot::store.index()>;
using ToProtocol = Ball<slot::protocol.index()>;
using ToWal = Ball<slot::wal.index()>;
using ToApp = Ball<slot::app.index()>;
using ToNet = Ball<slot::net.index()>;
using Balls =
    events<ToTracker, ToHasher, ToCrypto, ToStore, ToProtocol, ToWal, ToApp, ToNet>;

/// For everybody who catches it.
struct ToAll {
  static constexpr auto destination = slot::all;
  static constexpr std::uint32_t number = 1100;

  std::uint64_t value = 0;
};

/// `Base`, a module for slot `S`, that also takes the balls of its slot, in order, and passes each
/// on to the next slot, until the last.
template <std::size_t S, class Base>
struct Relay : Base {
  using consumes = engine::Union<engine::consumes_of<Base>, events<Ball<S>, ToAll>>;
  using emits = engine::Union<engine::emits_of<Base>, Balls, events<ToAll>>;

  std::vector<std::uint64_t> caught;
  std::uint64_t broadcasts = 0;

  template <class E>
  void process(E event, auto& out) {
    if constexpr (engine::contains<E, engine::consumes_of<Base>>) {
      Base::process(std::move(event), out);
    } else if constexpr (std::is_same_v<E, ToAll>) {
      ++broadcasts;
    } else {
      caught.push_back(event.value);
      if constexpr (S < slot::net.index()) out.emit(Ball<S + 1>{event.value, event.body});
    }
  }
};

/// Relays in every slot.
using RelayPlan =
    engine::Plan<Relay<slot::net.index(), StubNet>, Relay<slot::hasher.index(), StubHasher>,
                 Relay<slot::crypto.index(), StubCrypto>, Relay<slot::app.index(), StubApp>,
                 Relay<slot::wal.index(), StubWal>, Relay<slot::tracker.index(), StubTracker>,
                 Relay<slot::store.index(), StubStore>,
                 Relay<slot::protocol.index(), StubProtocol>>;

}  // namespace mirbft::testing

BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToAll, value);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToTracker, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToHasher, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToCrypto, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToStore, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToProtocol, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToWal, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToApp, value, body);
BOOST_HANA_ADAPT_STRUCT(mirbft::testing::ToNet, value, body);

#endif
