#include <mirbft/engine/type_list.hpp>

#include <type_traits>

#include <doctest/doctest.h>

namespace mirbft::type_list_test {

using namespace mirbft::engine;

namespace {

struct A {};
struct B {};
struct C {};

template <class T>
struct IsNotB : std::bool_constant<!std::is_same_v<T, B>> {};

static_assert(contains<A, events<B, A>>);
static_assert(!contains<C, events<B, A>>);
static_assert(!contains<A, events<>>);

static_assert(length<events<>> == 0);
static_assert(length<events<A, A, B>> == 3);

static_assert(std::is_same_v<Union<>, events<>>);
static_assert(std::is_same_v<Union<events<>, events<A>>, events<A>>);
static_assert(std::is_same_v<Union<events<A, B, A>>, events<A, B>>);
static_assert(std::is_same_v<Union<events<A, B>, events<C, A>, events<>>, events<A, B, C>>);

static_assert(std::is_same_v<Select<IsNotB, events<A, B, C>>::type, events<A, C>>);
static_assert(std::is_same_v<Select<IsNotB, events<B>>::type, events<>>);
static_assert(std::is_same_v<Select<IsNotB, events<>>::type, events<>>);

}  // namespace

TEST_CASE("type lists are what the assertions above say: that this compiles is the test") {
  CHECK(length<Union<events<A>, events<B>>> == 2);
}

}  // namespace mirbft::type_list_test
