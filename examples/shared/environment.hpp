// Members of a configuration that the environment gives instead of the file.
#ifndef MIRBFT_EXAMPLES_SHARED_ENVIRONMENT_HPP
#define MIRBFT_EXAMPLES_SHARED_ENVIRONMENT_HPP

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <type_traits>

#include <mirbft/types/errors.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/reflection.hpp>

namespace programs {

/// The names of the variables, one a member: MIRBFT_KV_HTTP_PORT for `http_port`.
template <mirbft::wire::Reflected T>
std::string environment_names(const std::string& prefix, std::string_view between) {
  std::string names;
  for (const std::string_view member : mirbft::wire::member_names<T>) {
    if (!names.empty()) names += between;
    names += prefix;
    for (const char letter : member)
      names += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return names;
}

namespace detail {

/// Gives `config` the member `name`, as a person has written it. False if it has none.
template <mirbft::wire::Reflected T>
bool set_member(T& config, std::string_view name, const std::string& value,
                const std::string& source) {
  bool found = false;
  mirbft::wire::for_each_member(config, [&](auto number, auto& member) {
    if (mirbft::wire::member_names<T>[number - 1] != name) return;
    found = true;
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, std::string>) {
      member = value;
    } else {
      constexpr auto kind = mirbft::wire::kind_of<Member>;
      constexpr bool is_word =
          kind == mirbft::wire::Kind::number || kind == mirbft::wire::Kind::blob;
      const std::string json = is_word ? mirbft::wire::to_json(value) : value;
      T parsed = mirbft::wire::parse_config<T>("{\"" + std::string(name) + "\":" + json + "}",
                                               source);
      mirbft::wire::for_each_member(parsed, [&](auto other, auto& given) {
        if constexpr (number == other) member = given;
      });
    }
  });
  return found;
}

}  // namespace detail

/// Takes every variable whose name begins with `prefix` for the member whose name follows in
/// capitals: text and numbers as they are, lists in JSON. Throws ConfigError for one that is of no
/// member, or has no value for it.
template <mirbft::wire::Reflected T>
void override_from_environment(T& config, const std::string& prefix) {
  for (char** entry = ::environ; *entry; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with(prefix)) continue;
    const std::size_t end = std::min(text.find('='), text.size());
    const std::string variable(text.substr(0, end));
    std::string name = variable.substr(prefix.size());
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) {
      return static_cast<char>(std::tolower(letter));
    });
    const std::string value(text.substr(std::min(end + 1, text.size())));
    if (!detail::set_member(config, name, value, variable + " in the environment"))
      throw mirbft::ConfigError(variable + " in the environment", "(unknown variable)",
                                "correct its name or unset it; known: " +
                                    environment_names<T>(prefix, ", "));
  }
}

}  // namespace programs

#endif
