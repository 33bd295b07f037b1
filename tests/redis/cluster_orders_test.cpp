// What a session is told of each way in which a client's request can end.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <mirbft/types/bytes.hpp>

#include "../../examples/redis/cluster_orders.hpp"

namespace redis::cluster_orders_test {

namespace {

enum class Submitted : std::uint8_t { accepted, overloaded, stopped };
enum class End : std::uint8_t { delivered, rejected, timed_out };
enum class Reason : std::uint8_t { none, too_large };

constexpr std::string_view to_string(End) { return "timed out"; }
constexpr std::string_view to_string(Reason) { return "too large"; }

struct Reply {
  End end = End::delivered;
  Reason reason = Reason::none;
  mirbft::Bytes result;
};

/// Ends each request as the test says.
struct FakeClient {
  Submitted submitted = Submitted::accepted;
  Reply reply;

  template <class OnEnd>
  Submitted submit(mirbft::Bytes, OnEnd on_end) {
    if (submitted == Submitted::accepted) on_end(std::as_const(reply));
    return submitted;
  }
};

/// The result, or why there is none.
std::string ended(FakeClient client) {
  ClusterOrders<FakeClient> orders(client);
  std::string text;
  int answers = 0;
  orders.submit(mirbft::Bytes("an order"), [&](const Answer& answer) {
    ++answers;
    text = answer.result ? std::string(answer.result->text()) : '-' + std::string(answer.why);
  });
  CHECK(answers == 1);
  return text;
}

}  // namespace

TEST_CASE("cluster orders: each is answered once, with its result or the reason for none") {
  CHECK(ended({Submitted::accepted, {End::delivered, Reason::none, mirbft::Bytes("1")}}) == "1");
  CHECK(ended({Submitted::accepted, {End::timed_out, Reason::none, {}}}) == "-timed out");
  CHECK(ended({Submitted::accepted, {End::rejected, Reason::too_large, {}}}) == "-too large");
  CHECK(ended({Submitted::overloaded, {}}) ==
        "-the gateway has too many open requests: not applied");
  CHECK(ended({Submitted::stopped, {}}) == "-the gateway shuts down: not applied");
}

}  // namespace redis::cluster_orders_test
