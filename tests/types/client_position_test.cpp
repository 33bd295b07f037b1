#include <doctest/doctest.h>

#include <mirbft/types/client_position.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft::client_position_test {

TEST_CASE("a position comes back from its encoding") {
  const ClientPosition last{never_valid, never_valid};
  for (const ClientPosition position : {ClientPosition{}, ClientPosition{ReqNo(3), ReqNo(9)}, last})
    CHECK(wire::decode<ClientPosition>(wire::encode(position), wire::Form::canonical) == position);
}

}  // namespace mirbft::client_position_test
