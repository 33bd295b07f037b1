// The service of a benchmark: it only says in which order the requests came.
#ifndef MIRBFT_EXAMPLES_BENCH_ORDER_APP_HPP
#define MIRBFT_EXAMPLES_BENCH_ORDER_APP_HPP

#include <cstdint>
#include <span>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace bench {

/// How many requests there were, and a number that another order would have made another.
struct Order {
  std::uint64_t applied = 0;
  std::uint64_t order = 0;

  friend bool operator==(const Order&, const Order&) = default;
};

}  // namespace bench

BOOST_HANA_ADAPT_STRUCT(bench::Order, applied, order);

namespace bench {

/// Applies nothing, and remembers the order in which it would have.
class OrderApp {
 public:
  std::vector<mirbft::Bytes> apply(mirbft::SeqNr, std::span<const mirbft::Request> requests) {
    for (const mirbft::Request& request : requests) {
      order_.order = order_.order * 0x9e3779b97f4a7c15ull + request.client.value;
      order_.order = order_.order * 0x9e3779b97f4a7c15ull + request.req_no.value;
    }
    order_.applied += requests.size();
    return std::vector<mirbft::Bytes>(requests.size());
  }
  mirbft::Bytes snapshot() const { return mirbft::wire::encode(order_); }
  void restore(mirbft::ByteView snapshot) {
    const auto order = mirbft::wire::decode<Order>(mirbft::Bytes(snapshot),
                                                   mirbft::wire::Form::canonical);
    if (order) order_ = *order;
  }

  const Order& status() const noexcept { return order_; }

 private:
  Order order_;
};

}  // namespace bench

#endif
