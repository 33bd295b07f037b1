// Two translation units that include everything, in one program: what a header forgets to mark
// `inline` does not link. second_test.cpp is the other.
#include <doctest/doctest.h>

#include <mirbft/mirbft.hpp>

using Limit = std::size_t (*)(mirbft::FrameClass) noexcept;

Limit second_unit_function();
const std::size_t* second_unit_constant();
mirbft::Bytes first_unit_bytes() { return mirbft::Bytes("from the first unit"); }

TEST_CASE("both units have the same functions and constants") {
  CHECK((second_unit_function() == Limit{&mirbft::frame_limit}));
  CHECK(second_unit_constant() == &mirbft::frame_classes);
}
