// The two ways in which a Node refuses to work: it was configured wrongly, or a part of it failed.
#ifndef MIRBFT_TYPES_ERRORS_HPP
#define MIRBFT_TYPES_ERRORS_HPP

#include <stdexcept>
#include <string>
#include <utility>

namespace mirbft {

/// A configuration that cannot work: which field, what stood there, which rule it breaks and how
/// to mend it. Thrown before anything starts. Programs print `what()` and exit with status 2.
class ConfigError : public std::invalid_argument {
 public:
  ConfigError(std::string field, std::string value, std::string rule)
      : std::invalid_argument(field + " = " + value + ": " + rule),
        field_(std::move(field)),
        value_(std::move(value)),
        rule_(std::move(rule)) {}

  const std::string& field() const noexcept { return field_; }
  const std::string& value() const noexcept { return value_; }
  const std::string& rule() const noexcept { return rule_; }

 private:
  std::string field_;
  std::string value_;
  std::string rule_;
};

/// A module that can no longer do its duty (disk full, divergence). Thrown by the module, caught
/// by the engine, which stops the Node and keeps the reason: half-working is not a state.
class ModuleFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mirbft

#endif
