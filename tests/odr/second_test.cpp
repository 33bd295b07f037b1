// The second unit of first_test.cpp.
#include <doctest/doctest.h>

#include <mirbft/mirbft.hpp>

using Limit = std::size_t (*)(mirbft::FrameClass) noexcept;

Limit second_unit_function() { return &mirbft::frame_limit; }
const std::size_t* second_unit_constant() { return &mirbft::frame_classes; }
mirbft::Bytes first_unit_bytes();

TEST_CASE("what one unit makes the other can use") {
  CHECK(first_unit_bytes() == mirbft::Bytes("from the first unit"));
}
