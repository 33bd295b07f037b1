// Commands of mircat run by tests: options in, text and status out.
#ifndef MIRBFT_TESTS_MIRCAT_COMMANDS_HPP
#define MIRBFT_TESTS_MIRCAT_COMMANDS_HPP

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>

namespace mirbft::testing {

/// What came of a command.
struct Ran {
  int status = 0;
  std::string out;
  std::string err;

  bool says(std::string_view text) const { return out.find(text) != std::string::npos; }
};

/// Gives an option its value, or sets a flag. Its name is the first of those it has.
inline void set(const mircat::Options& options, const std::string& name, const std::string& value) {
  for (const mircat::Option& option : options.all()) {
    if (option.names != name) continue;
    return std::visit(
        [&]<class T>(T* target) {
          if constexpr (std::is_same_v<T, bool>) {
            *target = true;
          } else if constexpr (std::is_same_v<T, std::string>) {
            *target = value;
          } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            target->push_back(value);
          } else {
            *target = std::stoull(value);
          }
        },
        option.target);
  }
  throw std::logic_error("the command has no option " + name);
}

template <class Command>
Ran run(Command command, const std::vector<std::pair<std::string, std::string>>& words,
        const std::string& input = "") {
  mircat::Options options;
  command.options(options);
  for (const auto& [name, value] : words) set(options, name, value);
  std::istringstream in(input);
  std::ostringstream out, err;
  mircat::Console console(in, out, err);
  const int status = command.run(console);
  return {status, out.str(), err.str()};
}

}  // namespace mirbft::testing

#endif
