// Times as text.
#include <chrono>

#include <doctest/doctest.h>

#include <mirbft/sim/time_text.hpp>

namespace mirbft::time_text_test {

using namespace std::chrono_literals;

TEST_CASE("times are written as people write them, and read back") {
  for (const sim::Time time : {sim::Time(0), sim::Time(1), sim::Time(80us), sim::Time(1500us),
                               sim::Time(999'999'999), sim::Time(1s), sim::Time(61s + 20ms)}) {
    CAPTURE(time.count());
    CHECK(sim::parse_time(sim::time_text(time)) == time);
  }
  CHECK(sim::time_text(1500us) == "1.5ms");
  CHECK(sim::time_text(1'234'567ns) == "1234.567us");
  CHECK(sim::time_text(1'200ms) == "1.2s");
  for (const char* wrong : {"", "s", "1", "-1s", "1.s", ".5s", "1.5ns", "1.2.3s", "1 s", "1h",
                            "9999999999999s", "99999999999999999999s", "1.0000000001s"})
    CHECK_FALSE(sim::parse_time(wrong));
}

}  // namespace mirbft::time_text_test
