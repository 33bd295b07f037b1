#include <doctest/doctest.h>

#include <mirbft/types/errors.hpp>

namespace mirbft::errors_test {

TEST_CASE("a configuration error is one line that names field, value and rule") {
  const ConfigError error("nodes", "0", "at least one; list the members");
  CHECK(std::string(error.what()) == "nodes = 0: at least one; list the members");
  CHECK(error.field() == "nodes");
  CHECK(error.value() == "0");
  CHECK(error.rule() == "at least one; list the members");
}

TEST_CASE("a failed module says why") {
  CHECK_THROWS_WITH_AS(throw ModuleFailure("disk full"), "disk full", std::runtime_error);
}

}  // namespace mirbft::errors_test
