// What a Node's modules are called and how they are configured, for whoever makes them once more.
#ifndef MIRBFT_ENGINE_MODULE_DESCRIPTION_HPP
#define MIRBFT_ENGINE_MODULE_DESCRIPTION_HPP

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/json.hpp>
#include <mirbft/wire/reflection.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft {

/// One module of a Node.
struct ModuleDescription {
  /// Its place in `slot_names`.
  std::uint16_t slot = 0;
  /// Its type, without namespaces and arguments.
  std::string name;
  /// How it is configured, as JSON that `wire::parse_config` reads; empty where it does not say.
  std::string config;
};

namespace engine {

template <class M>
using config_of = std::remove_cvref_t<decltype(std::declval<const M&>().config())>;

/// A module that says how it is configured, and can be made anew from that. It holds no secrets: a
/// module with some is made without them, and can do what needs none.
template <class M>
concept HasConfig = requires(const M& module) {
  requires wire::Reflected<config_of<M>>;
  requires std::constructible_from<M, config_of<M>>;
};

/// What a module type is called, without namespaces and arguments.
template <class M>
constexpr std::string_view module_name() {
  const std::string_view text = wire::detail::type_text<M>();
  return wire::detail::last_identifier(text.ends_with('>') ? wire::detail::without_arguments(text)
                                                           : text);
}

template <std::size_t S, class M>
ModuleDescription describe(const M& module) {
  ModuleDescription made{static_cast<std::uint16_t>(S), std::string(module_name<M>()), {}};
  if constexpr (HasConfig<M>) made.config = wire::to_json(module.config());
  return made;
}

/// An Interceptor that wants to know the modules too: as the last argument of `begin`.
template <class Interceptor, class Events>
concept TakesDescriptions =
    requires(Interceptor& interceptor, const std::vector<ModuleDescription>& modules) {
      interceptor.begin(NodeId(), ByteView(), Events{}, modules);
    };

}  // namespace engine
}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ModuleDescription, slot, name, config);

#endif
