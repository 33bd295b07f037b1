#include <doctest/doctest.h>

#include <type_traits>

#include <mirbft/modules/interceptor/null.hpp>

namespace interceptor_null_test {

namespace {

struct Unseen {};

// A list that nobody may look at: it has no members.
struct UntouchableList {};

constexpr bool all_calls_are_empty() {
  mirbft::NullInterceptor interceptor;
  interceptor.begin(mirbft::NodeId(1), {}, mirbft::events<Unseen>{});
  interceptor.intercept(mirbft::slot::app, UntouchableList{});
  interceptor.end();
  return true;
}

}  // namespace

TEST_CASE("the null interceptor takes no room and never looks at a list") {
  CHECK(std::is_empty_v<mirbft::NullInterceptor>);
  constexpr bool settled_by_the_compiler = all_calls_are_empty();
  CHECK(settled_by_the_compiler);
}

}  // namespace interceptor_null_test
