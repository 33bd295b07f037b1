#include <mirbft/engine/config.hpp>

#include <string>

#include <doctest/doctest.h>

namespace mirbft::config_test {

namespace {

/// What is wrong with a configuration in which one thing was changed.
template <class Change>
std::string complaint(Change&& change) {
  NodeConfig config;
  change(config);
  try {
    engine::check(config);
    return "";
  } catch (const ConfigError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("what a Node is told by default is fine") {
  CHECK(complaint([](NodeConfig&) {}) == "");
}

TEST_CASE("each rule of the configuration says which value breaks it and what to do") {
  CHECK(complaint([](NodeConfig& c) { c.cluster = {}; }) ==
        "cluster = \"\": a cluster needs a name: give it any that is not empty");
  CHECK(complaint([](NodeConfig& c) { c.tick_every = std::chrono::nanoseconds(0); }) ==
        "tick_every = 0: time must be told now and then: set it to a few milliseconds");
  CHECK(complaint([](NodeConfig& c) { c.tick_every = -std::chrono::milliseconds(1); }) ==
        "tick_every = -1000000: time must be told now and then: set it to a few milliseconds");
  CHECK(complaint([](NodeConfig& c) { c.busy_above = 0; }) ==
        "busy_above = 0: so many events may be pending: from 1 to 1048576");
  CHECK(complaint([](NodeConfig& c) { c.inbox_capacity = 0; }) ==
        "inbox_capacity = 0: so many submissions may wait: from 1 to 1048576");
  CHECK(complaint([](NodeConfig& c) { c.frames_at_a_time = 0; }) ==
        "frames_at_a_time = 0: so many frames are taken from the net at once: from 1 to 1048576");
  CHECK(complaint([](NodeConfig& c) { c.received_bytes = 0; }) ==
        "received_bytes = 0: so many bytes of frames may wait: at least 1, 67108864 are good");
}

TEST_CASE("no limit may be so wide that a list could overflow") {
  CHECK(complaint([](NodeConfig& c) { c.inbox_capacity = ~std::uint64_t{0}; }) ==
        "inbox_capacity = 18446744073709551615: so many submissions may wait: from 1 to 1048576");
  CHECK(complaint([](NodeConfig& c) { c.busy_above = 1048576; }) == "");
  CHECK(complaint([](NodeConfig& c) { c.busy_above = 1048577; }) != "");
}

}  // namespace mirbft::config_test
