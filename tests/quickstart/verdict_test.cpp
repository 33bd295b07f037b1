// The quickstart's verdict: it objects to every way in which replicas can differ or fail to
// deliver.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../../examples/quickstart/verdict.hpp"

namespace mirbft::verdict_test {

using namespace quickstart;

namespace {

constexpr std::uint64_t commands = 100;

/// Four replicas that have done everything right.
std::vector<Report> good() {
  Report report{.stage = "ended", .delivered = commands};
  report.last_sn = SeqNr(17);
  report.log.bytes[0] = 1;
  report.store.bytes[0] = 2;
  return std::vector<Report>(4, report);
}

template <class Change>
std::vector<std::string> objections_when(std::size_t replica, Change&& change) {
  std::vector<Report> reports = good();
  change(reports[replica]);
  return objections(reports, commands);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("verdict: none when all agree on everything") {
  CHECK(objections(good(), commands).empty());
}

TEST_CASE("verdict: rates and latencies may differ") {
  CHECK(objections_when(2, [](Report& report) {
          report.requests_per_second = 5;
          report.p50_us = 6;
          report.p99_us = 7;
        }).empty());
}

TEST_CASE("verdict: a request that is missing, repeated, foreign or refused") {
  CHECK(objections_when(1, [](Report& report) { report.delivered = 99; }) ==
        Texts{"replica 1 delivered 99 of 100 requests"});
  CHECK(objections_when(3,
                        [](Report& report) {
                          report.delivered = 101;
                          report.repeated = 1;
                        }) ==
        Texts{"replica 3 delivered 101 of 100 requests", "replica 3 delivered 1 requests again"});
  // Once too often and once too seldom: the sum alone would not show it.
  CHECK(objections_when(0, [](Report& report) { report.repeated = 1; }) ==
        Texts{"replica 0 delivered 1 requests again"});
  CHECK(objections_when(2, [](Report& report) { report.foreign = 1; }) ==
        Texts{"replica 2 delivered 1 requests that nobody was to submit"});
  CHECK(objections_when(2, [](Report& report) {
          report.refused = 2;
          report.refusal = "overloaded";
        }) == Texts{"replica 2 refused 2 requests (overloaded)"});
}

TEST_CASE("verdict: all wrong in the same way is wrong") {
  std::vector<Report> reports = good();
  for (Report& report : reports) report.delivered = 0;
  CHECK(objections(reports, commands).size() == 4);
}

TEST_CASE("verdict: another order, another store") {
  CHECK(objections_when(1, [](Report& report) { report.last_sn = SeqNr(18); }) ==
        Texts{"replica 1 has another order than replica 0"});
  CHECK(objections_when(2, [](Report& report) { report.log.bytes[31] = 1; }) ==
        Texts{"replica 2 has another order than replica 0"});
  CHECK(objections_when(3, [](Report& report) { report.store.bytes[31] = 1; }) ==
        Texts{"replica 3 has another store than replica 0"});
  CHECK(objections_when(0, [](Report& report) { report.store.bytes[31] = 1; }).size() == 3);
}

}  // namespace mirbft::verdict_test
