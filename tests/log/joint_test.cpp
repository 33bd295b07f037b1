// Where a replay joins a log whose beginning is gone.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <mirbft/log/joint.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::joint_test {

using mirbft::detail::Joint;

namespace {

LogEvent event(char name) {
  LogEvent made;
  made.payload = Bytes(std::string_view(&name, 1));
  return made;
}
/// What the replay emits, and then what the log shows.
void lay(Joint& joint, std::string_view emitted, std::string_view shown) {
  for (const char name : emitted) joint.emit(event(name));
  for (const char name : shown) joint.show(event(name));
}

}  // namespace

TEST_CASE("what the log shows of earlier inputs is passed over") {
  Joint joint;
  lay(joint, "", "xy");
  CHECK(joint.passed_over() == 2);
  lay(joint, "abcd", "zab");
  CHECK(joint.passed_over() == 3);
  CHECK(joint.matched() == 2);
  CHECK(joint.pending() == 2);
  CHECK(joint.rest().front().payload == event('c').payload);
  CHECK(joint.parting() == nullptr);
}

TEST_CASE("an earlier input may have been the same as a later one") {
  Joint joint;
  lay(joint, "aabac", "ab");
  CHECK(joint.matched() == 0);
  lay(joint, "", "aabac");
  CHECK(joint.matched() == 5);
  CHECK(joint.passed_over() == 2);
  CHECK(joint.pending() == 0);
}

TEST_CASE("of several places the one that explains most counts") {
  Joint joint;
  lay(joint, "aaaa", "aaa");
  CHECK(joint.matched() == 3);
  CHECK(joint.passed_over() == 0);
  lay(joint, "", "aa");
  CHECK(joint.matched() == 4);
  CHECK(joint.passed_over() == 1);
}

TEST_CASE("where many have been equal, another one is a difference unless they come again") {
  Joint joint;
  const std::string many = 'a' + std::string(Joint::enough, 'b');
  lay(joint, many + "cd", 'x' + many);
  CHECK(joint.parting() == nullptr);
  lay(joint, "", "e");
  REQUIRE(joint.parting() != nullptr);
  CHECK(joint.parting()->payload == event('e').payload);
  CHECK(joint.matched() == 0);
  lay(joint, "", many + "cd");
  CHECK(joint.parting() == nullptr);
  CHECK(joint.pending() == 0);
}

TEST_CASE("nothing is passed over for ever") {
  Joint joint;
  lay(joint, "a", std::string(Joint::patience, 'b'));
  CHECK_FALSE(joint.is_over());
  CHECK(joint.parting() == nullptr);
  lay(joint, "", "a");
  CHECK(joint.is_over());
  CHECK(joint.parting() != nullptr);
}

TEST_CASE("what has held for long enough goes on holding") {
  Joint joint;
  LogEvent numbered;
  for (; numbered.number < 2 * Joint::patience; ++numbered.number) joint.emit(numbered);
  joint.show(event('x'));
  for (numbered.number = 0; !joint.is_over(); ++numbered.number) joint.show(numbered);
  CHECK(joint.parting() == nullptr);
  CHECK(joint.passed_over() == 1);
  CHECK(joint.matched() == Joint::patience);
  CHECK(joint.rest().front().number == Joint::patience);
}

}  // namespace mirbft::joint_test
