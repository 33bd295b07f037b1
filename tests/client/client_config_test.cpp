// What a client's configuration must keep to.
#include <mirbft/client/client_config.hpp>

#include <string>

#include <doctest/doctest.h>

#include <mirbft/wire/json.hpp>

namespace mirbft::client_config_test {

using namespace std::chrono_literals;

namespace {

/// The field that is complained of; empty if nothing is.
std::string complaint(const ClientConfig& config) {
  try {
    validate(config);
  } catch (const ConfigError& error) {
    CHECK(!error.rule().empty());
    return error.field();
  }
  return {};
}

}  // namespace

TEST_CASE("a configuration that cannot work is refused by its field") {
  ClientConfig config{.cluster_id = "c",
                      .id = ClientId(1),
                      .replicas = {{NodeId(0), "a", 1}, {NodeId(1), "b", 1}, {NodeId(2), "c", 1},
                                   {NodeId(3), "d", 1}}};
  REQUIRE(complaint(config).empty());
  std::string field;
  SUBCASE("no cluster") {
    config.cluster_id.clear();
    field = "cluster_id";
  }
  SUBCASE("no replicas") {
    config.replicas.clear();
    field = "replicas";
  }
  SUBCASE("one replica twice") {
    config.replicas[1].id = NodeId(0);
    field = "replicas.id";
  }
  SUBCASE("no host") {
    config.replicas[1].host.clear();
    field = "replicas.host";
  }
  SUBCASE("no port") {
    config.replicas[1].port = 0;
    field = "replicas.port";
  }
  SUBCASE("fewer than can be believed") {
    config.send_to = 1;
    field = "send_to";
  }
  SUBCASE("more than there are") {
    config.send_to = 5;
    field = "send_to";
  }
  SUBCASE("nothing open") {
    config.max_open = 0;
    field = "max_open";
  }
  SUBCASE("a request that fits in no frame") {
    config.max_request_bytes = 126'721;
    field = "max_request_bytes";
  }
  SUBCASE("a queue that holds too little") {
    config.queue_bytes = 128 * 1024;
    field = "queue_bytes";
  }
  SUBCASE("no pause before a retry") {
    config.retry_after = 0ms;
    field = "retry_after";
  }
  SUBCASE("no time at all") {
    config.deadline = 0ms;
    field = "deadline";
  }
  SUBCASE("pauses that shrink") {
    config.reconnect_longest = 1ms;
    field = "reconnect_longest";
  }
  SUBCASE("too little patience") {
    config.dead_after = config.ping_after;
    field = "dead_after";
  }
  CHECK(complaint(config) == field);
}

TEST_CASE("a status can be printed") {
  CHECK(wire::to_json(ClientStatus{}).find("\"timed_out\"") != std::string::npos);
}

}  // namespace mirbft::client_config_test
