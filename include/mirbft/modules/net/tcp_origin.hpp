// Whom a connection comes from, as far as its address tells, and who of a crowd has most.
#ifndef MIRBFT_MODULES_NET_TCP_ORIGIN_HPP
#define MIRBFT_MODULES_NET_TCP_ORIGIN_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace mirbft {

/// The part of an IP address that one party cannot choose at will.
inline boost::asio::ip::address origin_of(const boost::asio::ip::address& address) {
  using namespace boost::asio::ip;
  if (!address.is_v6()) return address;
  if (address.to_v6().is_v4_mapped()) return make_address_v4(v4_mapped, address.to_v6());
  address_v6::bytes_type bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return address_v6(bytes);
}

/// The origins of a crowd, in the order in which they came; at least one. A flood from few origins
/// is at the expense of those alone.
class Crowd {
 public:
  using Origin = boost::asio::ip::address;

  explicit Crowd(std::vector<Origin> origins) : origins_(std::move(origins)) {
    for (const Origin& origin : origins_) ++counts_[origin];
  }

  /// The first of the origin that stands there most often: to go.
  std::size_t first_of_most() const {
    return place(std::max_element(origins_.begin(), origins_.end(), Fewer{counts_}));
  }
  /// The first of the origins that stand there least often: its turn.
  std::size_t first_of_fewest() const {
    return place(std::min_element(origins_.begin(), origins_.end(), Fewer{counts_}));
  }

 private:
  using Counts = std::map<Origin, std::size_t>;
  struct Fewer {
    const Counts& counts;
    bool operator()(const Origin& left, const Origin& right) const {
      return counts.at(left) < counts.at(right);
    }
  };

  std::size_t place(std::vector<Origin>::const_iterator at) const {
    return static_cast<std::size_t>(at - origins_.begin());
  }

  std::vector<Origin> origins_;
  Counts counts_;
};

}  // namespace mirbft

#endif
