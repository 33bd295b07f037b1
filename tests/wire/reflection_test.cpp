// Members are visited in their order, and in the reverse of it.
#include <doctest/doctest.h>

#include <string>

#include <mirbft/wire/reflection.hpp>

#include "sample_types.hpp"

namespace mirbft::reflection_test {

static_assert(wire::Reflected<sample::Blobs>);
static_assert(wire::Reflected<sample::Answer<sample::Empty>>);
static_assert(!wire::Reflected<std::string>);
static_assert(!wire::Reflected<int>);
static_assert(wire::member_names<sample::Answer<sample::Empty>>[1] == "origin");
static_assert(wire::member_names<sample::Empty>.empty());

TEST_CASE("reflection: forward, backward, and changing what is visited") {
  sample::Tree tree{1, {}};
  std::string order;
  const auto note = [&](auto number, auto&) {
    order += std::to_string(number) + std::string(wire::member_names<sample::Tree>[number - 1]);
  };
  wire::for_each_member(tree, note);
  CHECK(order == "1label2children");
  order.clear();
  wire::for_each_member_backward(tree, note);
  CHECK(order == "2children1label");

  wire::for_each_member(tree, [](auto number, auto& member) {
    if constexpr (number == 1) member = 9;
  });
  CHECK(tree.label == 9);
}

}  // namespace mirbft::reflection_test
