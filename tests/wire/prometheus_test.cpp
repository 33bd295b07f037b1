#include <mirbft/wire/prometheus.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/hana/adapt_struct.hpp>
#include <doctest/doctest.h>

#include <mirbft/types/id.hpp>

namespace {

struct Ends {
  std::uint64_t lost = 3;
};
struct NetStatus {
  std::uint64_t connected = 2;
  Ends ended;
  std::string last_end = "it \"went\"\n";
};
struct Sample {
  mirbft::SeqNr next{7};
  std::int32_t balance = -4;
  bool open = true;
  std::chrono::milliseconds timeout{1250};
  std::chrono::nanoseconds early{-1'000'000'001};
  std::optional<std::uint64_t> known{9};
  std::optional<std::uint64_t> unknown;
  std::vector<std::uint64_t> row{1, 2};
  NetStatus net;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(Ends, lost);
BOOST_HANA_ADAPT_STRUCT(NetStatus, connected, ended, last_end);
BOOST_HANA_ADAPT_STRUCT(Sample, next, balance, open, timeout, early, known, unknown, row, net);

TEST_CASE("every number of a status becomes a metric, named after its path") {
  mirbft::wire::PrometheusText text({.labels = "node=\"3\"", .counters = {"net_ended_lost"}});
  text.put(Sample{});
  const std::string made = std::move(text).take();
  std::string samples;
  for (std::size_t at = 0; at < made.size();) {
    const std::size_t end = made.find('\n', at) + 1;
    if (made[at] != '#') samples += made.substr(at, end - at);
    at = end;
  }
  CHECK(samples ==
        "mirbft_next{node=\"3\"} 7\n"
        "mirbft_balance{node=\"3\"} -4\n"
        "mirbft_open{node=\"3\"} 1\n"
        "mirbft_timeout_seconds{node=\"3\"} 1.250000000\n"
        "mirbft_early_seconds{node=\"3\"} -1.000000001\n"
        "mirbft_known{node=\"3\"} 9\n"
        "mirbft_net_connected{node=\"3\"} 2\n"
        "mirbft_net_ended_lost_total{node=\"3\"} 3\n");
}

TEST_CASE("each metric has its help and its type before it") {
  mirbft::wire::PrometheusText text({.prefix = "kv", .counters = {"lost"}});
  text.put(Ends{});
  text.put_gauge("ready", "Whether it is.", 1);
  CHECK(std::move(text).take() ==
        "# HELP kv_lost_total The member lost of the node's status.\n"
        "# TYPE kv_lost_total counter\n"
        "kv_lost_total 3\n"
        "# HELP kv_ready Whether it is.\n"
        "# TYPE kv_ready gauge\n"
        "kv_ready 1\n");
}
