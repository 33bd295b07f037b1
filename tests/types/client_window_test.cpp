#include <doctest/doctest.h>

#include <mirbft/types/client_window.hpp>

namespace mirbft::client_window_test {

TEST_CASE("a window knows what is delivered, below it and inside") {
  const ClientWindow window{ClientId(1), ReqNo(100), Bytes{0b0000'0101, 0b1000'0000}};
  CHECK(window.is_delivered(ReqNo(0)));
  CHECK(window.is_delivered(ReqNo(99)));
  CHECK(window.is_delivered(ReqNo(100)));
  CHECK_FALSE(window.is_delivered(ReqNo(101)));
  CHECK(window.is_delivered(ReqNo(102)));
  CHECK_FALSE(window.is_delivered(ReqNo(114)));
  CHECK(window.is_delivered(ReqNo(115)));
  CHECK_FALSE(window.is_delivered(ReqNo(116)));
  CHECK_FALSE(window.is_delivered(ReqNo(~std::uint64_t{0})));
}

}  // namespace mirbft::client_window_test
