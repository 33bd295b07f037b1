// mircat's command line, by CLI11: it finds the command, and says what is wrong with the words.
#ifndef MIRBFT_MIRCAT_COMMAND_LINE_HPP
#define MIRBFT_MIRCAT_COMMAND_LINE_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/console.hpp>

namespace mirbft::mircat {

/// Reads a command line. Commands are added first.
class CommandLine {
 public:
  CommandLine() : app_("See, search, compare, replay and draw what a mirbft node has recorded.",
                       "mircat") {
    app_.require_subcommand(1);
    app_.footer("mircat COMMAND --help has examples. Exit status: 0, 1 for a difference or a "
                "finding, 2 for\nwrong usage or what cannot be read.");
#ifdef MIRBFT_VERSION
    app_.set_version_flag("--version", MIRBFT_VERSION);
#endif
  }

  /// `command` outlives this.
  template <IsCommand Command>
  void add(Command& command) {
    CLI::App& app = place_of(Command::name, std::string(Command::about));
    app.footer("Examples:\n" + std::string(Command::examples));
    Options options;
    command.options(options);
    for (const Option& option : options.all()) add_option(app, option);
    if constexpr (requires { Command::aliases; })
      for (const char* alias : Command::aliases) aliases_[alias] = Command::name.data();
    app.callback([this] { chosen_ = Command::name; });
  }

  /// The exit status if that is all: help was asked for, or the words make no sense.
  std::optional<int> parse(int argc, char** argv, Console& console) {
    std::vector<const char*> words(argv, argv + argc);
    if (const auto alias = aliases_.find(argc > 1 ? words[1] : ""); alias != aliases_.end())
      words[1] = alias->second;
    try {
      app_.parse(argc, words.data());
      return std::nullopt;
    } catch (const CLI::Success& asked) {
      app_.exit(asked, console.out(), console.err());
      console.out().flush();
      return status::ok;
    } catch (const CLI::Error& error) {
      const std::string text = error.what();
      console.err() << "mircat: " << text.substr(0, text.find('\n'))
                    << " (mircat --help tells more)\n";
      return status::unusable;
    }
  }

  /// After `parse`.
  bool is_chosen(std::string_view name) const noexcept { return chosen_ == name; }

 private:
  CLI::App& place_of(std::string_view name, const std::string& about) {
    const std::size_t blank = name.find(' ');
    if (blank == std::string_view::npos) return *app_.add_subcommand(std::string(name), about);
    const std::string group(name.substr(0, blank));
    CLI::App*& parent = groups_[group];
    if (!parent) {
      parent = app_.add_subcommand(group, "commands on a " + group + " directory");
      parent->require_subcommand(1);
    }
    return *parent->add_subcommand(std::string(name.substr(blank + 1)), about);
  }

  static void add_option(CLI::App& app, const Option& option) {
    CLI::Option* made = std::visit(
        [&]<class T>(T* target) {
          if constexpr (std::is_same_v<T, bool>) {
            return app.add_flag(option.names, *target, option.about);
          } else {
            return app.add_option(option.names, *target, option.about);
          }
        },
        option.target);
    made->required(option.is_required);
    // A negative number would be taken for a huge one.
    if (std::holds_alternative<std::uint64_t*>(option.target) ||
        std::holds_alternative<std::optional<std::uint64_t>*>(option.target))
      made->check(CLI::NonNegativeNumber, "");
    // One value each time it is given: what follows may be a file.
    if (option.names.starts_with('-')) made->allow_extra_args(false);
  }

  CLI::App app_;
  std::map<std::string, CLI::App*> groups_;
  /// First words that stand for a command, and its name.
  std::map<std::string, const char*> aliases_;
  std::string_view chosen_;
};

}  // namespace mirbft::mircat

#endif
