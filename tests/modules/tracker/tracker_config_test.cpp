#include <doctest/doctest.h>

#include <string>

#include <mirbft/modules/tracker/client_tracker.hpp>

namespace mirbft::tracker_config_test {

namespace {

/// The complaint about a configuration, or nothing.
template <class Change>
std::string complaint(Change change) {
  TrackerConfig config;
  change(config);
  try {
    ClientTracker tracker(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the defaults are accepted") {
  CHECK(complaint([](TrackerConfig&) {}).empty());
}

TEST_CASE("each complaint names the field, the value and the rule") {
  CHECK(complaint([](TrackerConfig& config) { config.window = 0; }) ==
        "tracker.window = 0: must be from 1 to 67108864");
  CHECK(complaint([](TrackerConfig& config) { config.window = 67108865; }) ==
        "tracker.window = 67108865: must be from 1 to 67108864");
  CHECK(complaint([](TrackerConfig& config) { config.max_request_bytes = 0; }) ==
        "tracker.max_request_bytes = 0: must be from 1 to 126720, so that a request and its "
        "authenticator fit into a frame");
  CHECK(complaint([](TrackerConfig& config) { config.max_request_bytes = 126721; }) ==
        "tracker.max_request_bytes = 126721: must be from 1 to 126720, so that a request and its "
        "authenticator fit into a frame");
  CHECK(complaint([](TrackerConfig& config) { config.max_pending_bytes = 70143; }) ==
        "tracker.max_pending_bytes = 70143: must hold one request of max_request_bytes: at least "
        "70144");
  CHECK(complaint([](TrackerConfig& config) { config.max_clients = 0; }) ==
        "tracker.max_clients = 0: must be at least 1");
}

TEST_CASE("the limits themselves are accepted") {
  CHECK(complaint([](TrackerConfig& config) {
          config.window = 67108864;
          config.max_request_bytes = 126720;
          config.max_clients = 1;
          config.reply_cache_bytes = 0;
        }).empty());
  CHECK(complaint([](TrackerConfig& config) {
          config.window = 1;
          config.max_pending_bytes = 70144;
        }).empty());
}

}  // namespace mirbft::tracker_config_test
