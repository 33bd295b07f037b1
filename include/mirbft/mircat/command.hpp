// What a command of mircat is, and how it says which options it takes.
#ifndef MIRBFT_MIRCAT_COMMAND_HPP
#define MIRBFT_MIRCAT_COMMAND_HPP

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/mircat/console.hpp>

namespace mirbft::mircat {

/// An option of a command, and where its value goes.
struct Option {
  using Target = std::variant<bool*, std::uint64_t*, std::optional<std::uint64_t>*, std::string*,
                              std::vector<std::string>*>;

  /// "--limit", "-v,--invert"; without dashes it is known by its place on the command line.
  std::string names;
  std::string about;
  Target target;
  bool is_required = false;
};

/// The options of a command. Free of any library, so that a command costs no more than itself.
class Options {
 public:
  void optional(std::string names, std::string about, Option::Target target) {
    all_.push_back({std::move(names), std::move(about), target, false});
  }
  void required(std::string names, std::string about, Option::Target target) {
    all_.push_back({std::move(names), std::move(about), target, true});
  }
  const std::vector<Option>& all() const noexcept { return all_; }

 private:
  std::vector<Option> all_;
};

/// A command: what it is called (of two words: a command of a group, as `wal ls`), what it does in
/// one line, and examples for its help, a line each; maybe `aliases`, other first words that stand
/// for it. `options` names its members as targets; `run` does the work and returns the exit status.
/// It throws ConfigError for input that cannot be, and LogError for a log that cannot be read.
template <class C>
concept IsCommand = std::default_initializable<C> &&
                    requires(C& command, Options& options, Console& console) {
  { C::name } -> std::convertible_to<std::string_view>;
  { C::about } -> std::convertible_to<std::string_view>;
  { C::examples } -> std::convertible_to<std::string_view>;
  command.options(options);
  { command.run(console) } -> std::same_as<int>;
};

}  // namespace mirbft::mircat

#endif
