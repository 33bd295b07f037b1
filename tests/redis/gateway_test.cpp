// The gateway's threads: orders that are answered from another one, connections that end first.
#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "../../examples/redis/gateway.hpp"
#include "../../examples/redis/local_orders.hpp"

namespace redis::gateway_test {

using boost::asio::ip::tcp;

namespace {

/// Applies orders on a thread of its own, as a cluster would be elsewhere.
class Elsewhere {
 public:
  ~Elsewhere() {
    thread_.request_stop();
    thread_.join();
  }
  template <class Answered>
  void submit(mirbft::Bytes body, Answered answered) {
    const std::lock_guard lock(mutex_);
    open_.push_back([this, body = std::move(body), answered]() mutable {
      orders_.submit(std::move(body), answered);
    });
    changed_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return !open_.empty(); })) {
      auto next = std::move(open_.front());
      open_.pop_front();
      lock.unlock();
      next();
      next = nullptr;
      lock.lock();
    }
  }

  LocalOrders orders_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> open_;
  std::jthread thread_{[this](const std::stop_token& stop) { work(stop); }};
};

/// A gateway on a free port, that runs.
struct Running {
  boost::asio::io_context io{1};
  Elsewhere orders;
  Gateway<Elsewhere> gateway{io, orders, GatewayConfig{.port = 0}};
  std::jthread thread{[this] { io.run(); }};

  ~Running() { io.stop(); }
};

struct Client {
  explicit Client(const Running& running) {
    socket.connect({boost::asio::ip::address_v4::loopback(), running.gateway.port()});
  }
  void send(const std::string& text) { boost::asio::write(socket, boost::asio::buffer(text)); }
  std::string receive(std::size_t size) {
    std::string text(size, '\0');
    boost::asio::read(socket, boost::asio::buffer(text));
    return text;
  }

  boost::asio::io_context io;
  tcp::socket socket{io};
};

}  // namespace

TEST_SUITE("threads") {
  TEST_CASE("gateway: many connections with long pipelines, answered elsewhere") {
    Running running;
    std::vector<std::jthread> threads;
    std::array<std::string, 4> replies;
    std::array<std::string, 4> expected;
    for (std::size_t number = 0; number < replies.size(); ++number)
      threads.emplace_back([&, number] {
        Client client(running);
        std::string questions;
        for (int count = 1; count <= 2000; ++count) {
          questions += "INCR c" + std::to_string(number) + "\r\n";
          expected[number] += ':' + std::to_string(count) + "\r\n";
        }
        client.send(questions);
        replies[number] = client.receive(expected[number].size());
      });
    threads.clear();
    CHECK(replies == expected);
  }

  TEST_CASE("gateway: who goes away does not matter to the others, nor to the end") {
    Running running;
    for (int times = 0; times < 50; ++times) {
      Client gone(running);
      gone.send("INCR n\r\nMULTI\r\nSET a b\r\nEXEC\r\nGET");
    }
    Client client(running);
    client.send("SET a c\r\n");
    CHECK(client.receive(5) == "+OK\r\n");
    for (int times = 0; times < 50; ++times) client.send("INCR m\r\n");
    CHECK(client.receive(4) == ":1\r\n");
  }
}

}  // namespace redis::gateway_test
