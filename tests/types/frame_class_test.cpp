#include <doctest/doctest.h>

#include <mirbft/types/frame_class.hpp>

namespace mirbft::frame_class_test {

TEST_CASE("every class has a limit of its own, and only the known ones have") {
  CHECK(frame_limit(FrameClass::vote) == 65'536);
  CHECK(frame_limit(FrameClass::batch) == 4'194'304);
  CHECK(frame_limit(FrameClass::chunk) == 1'048'576);
  CHECK(frame_limit(FrameClass::request) == 131'072);
  // What a byte from the network may turn into.
  CHECK(frame_limit(static_cast<FrameClass>(frame_classes)) == 0);
  CHECK(frame_limit(static_cast<FrameClass>(255)) == 0);
}

}  // namespace mirbft::frame_class_test
