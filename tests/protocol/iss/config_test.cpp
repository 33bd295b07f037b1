#include <mirbft/protocol/iss/config.hpp>

#include <chrono>
#include <string>

#include <doctest/doctest.h>

namespace mirbft::iss::config_test {
namespace {

/// The field that is complained about, or nothing.
template <class Change>
std::string complaint(Change change) {
  IssConfig config;
  config.self = NodeId(1);
  config.members = {NodeId(2), NodeId(1), NodeId(3)};
  change(config);
  try {
    check(config);
  } catch (const ConfigError& error) {
    return error.field();
  }
  return "";
}

}  // namespace

TEST_CASE("the defaults are accepted, members in any order") {
  CHECK(complaint([](IssConfig&) {}) == "");
}

TEST_CASE("members are there, distinct, and self is one of them") {
  CHECK(complaint([](IssConfig& config) { config.members.clear(); }) == "members");
  CHECK(complaint([](IssConfig& config) { config.members.push_back(NodeId(2)); }) == "members");
  CHECK(complaint([](IssConfig& config) { config.self = NodeId(4); }) == "self");
}

TEST_CASE("every other rule, broken once") {
  CHECK(complaint([](IssConfig& config) { config.cluster = {}; }) == "cluster");
  CHECK(complaint([](IssConfig& config) { config.epoch_length = 0; }) == "epoch_length");
  CHECK(complaint([](IssConfig& config) { config.min_segment_length = 0; }) ==
        "min_segment_length");
  CHECK(complaint([](IssConfig& config) { config.max_segment_length = 1; }) ==
        "max_segment_length");
  CHECK(complaint([](IssConfig& config) { config.max_batch_requests = 0; }) ==
        "max_batch_requests");
  CHECK(complaint([](IssConfig& config) { config.max_batch_requests = 65537; }) ==
        "max_batch_requests");
  CHECK(complaint([](IssConfig& config) { config.max_batch_bytes = 0; }) == "max_batch_bytes");
  CHECK(complaint([](IssConfig& config) { config.pipeline = 0; }) == "pipeline");
  CHECK(complaint([](IssConfig& config) { config.client_window = 0; }) == "client_window");
  const std::string times = "batch_delay, fetch_delay";
  CHECK(complaint([](IssConfig& config) { config.batch_delay = -std::chrono::seconds(1); }) ==
        times);
  CHECK(complaint([](IssConfig& config) { config.fetch_delay = -std::chrono::seconds(1); }) ==
        times);
  for (const std::chrono::nanoseconds wrong :
       {std::chrono::nanoseconds(0), std::chrono::nanoseconds(std::chrono::hours(2))}) {
    CHECK(complaint([&](IssConfig& config) { config.base_timeout = wrong; }) == "base_timeout");
    CHECK(complaint([&](IssConfig& config) { config.slot_time = wrong; }) == "slot_time");
  }
}

}  // namespace mirbft::iss::config_test
