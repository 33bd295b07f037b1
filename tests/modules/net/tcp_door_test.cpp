#include <mirbft/modules/net/tcp_door.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "../../support/waiting.hpp"

namespace mirbft::tcp_door_test {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

namespace {

/// Keeps whoever is let in.
struct House {
  void let_in(tcp::socket socket) { inside.push_back(std::move(socket)); }
  void turned_away(const tcp::socket&) { ++away; }

  boost::asio::io_context io{1};
  std::vector<tcp::socket> inside;
  std::size_t away = 0;
  TcpDoor<House> door{*this, io};
  std::uint16_t port = door.listen(io, "0.0.0.0", 0);
};

/// Connects from an address of this machine.
tcp::socket connect(House& house, const char* from) {
  tcp::socket socket(house.io);
  socket.open(tcp::v4());
  socket.bind({make_address(from), 0});
  socket.connect({make_address("127.0.0.1"), house.port});
  return socket;
}

}  // namespace

TEST_CASE("an origin is what nobody has many of") {
  CHECK(origin_of(make_address("192.0.2.7")) == make_address("192.0.2.7"));
  CHECK(origin_of(make_address("::ffff:192.0.2.7")) == make_address("192.0.2.7"));
  CHECK(origin_of(make_address("2001:db8:1:2:3:4:5:6")) == make_address("2001:db8:1:2::"));
}

TEST_CASE("of a crowd, the first of the largest group goes, and it is the smallest one's turn") {
  const auto one = make_address("192.0.2.1");
  const auto two = make_address("192.0.2.2");
  CHECK(Crowd({two, one, two, one, one}).first_of_most() == 1);
  CHECK(Crowd({one, one, two, one, two}).first_of_fewest() == 2);
  CHECK(Crowd({one, two}).first_of_most() == 0);
  CHECK(Crowd({one, two}).first_of_fewest() == 0);
}

TEST_CASE("a pace is so many at once, and one in each pause") {
  Pace pace(10ms, 3);
  const auto start = Pace::Clock::now();
  for (int count = 0; count < 3; ++count) CHECK(pace.take(start));
  CHECK_FALSE(pace.take(start));
  CHECK(pace.due() == start + 10ms);
}

TEST_CASE("however many connect at once, few are let in at once") {
  House house;
  std::vector<tcp::socket> flood;
  for (int count = 0; count < 200; ++count) flood.push_back(connect(house, "127.0.0.1"));
  const auto start = std::chrono::steady_clock::now();
  house.io.poll();
  const auto turns = static_cast<std::size_t>((std::chrono::steady_clock::now() - start) / 5ms);
  CHECK(house.inside.size() <= 17 + turns);
}

TEST_CASE("who comes from elsewhere does not wait behind a flood") {
  House house;
  std::vector<tcp::socket> flood;
  for (int count = 0; count < 120; ++count) flood.push_back(connect(house, "127.0.0.1"));
  const tcp::socket other = connect(house, "127.0.0.2");
  const auto is_inside = [&] {
    house.io.poll();
    for (const tcp::socket& socket : house.inside)
      if (socket.remote_endpoint() == other.local_endpoint()) return true;
    return false;
  };
  REQUIRE(testing::eventually(is_inside));
  // All of the flood came before it.
  CHECK(house.inside.size() + house.away < 120);
}

}  // namespace mirbft::tcp_door_test
