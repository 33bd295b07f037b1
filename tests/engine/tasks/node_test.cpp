#include <mirbft/engine/tasks/node.hpp>

#include <doctest/doctest.h>

#include "../../support/recorder.hpp"
#include "../../support/stub_modules.hpp"

namespace mirbft::node_test {

using namespace mirbft::testing;

TEST_CASE("replies are held back, and Halt is a failure") {
  engine::TheNode node;
  engine::TaskOf<slot::node.index(), engine::TheNode, StubProtocol> task{NodeConfig{}};
  Recorder out;
  task.process(node, Replied{ClientId(1), ReqNo(2), Outcome::delivered, {}, {}}, out);
  REQUIRE(node.replies.size() == 1);
  CHECK(node.replies[0].req_no == ReqNo(2));
  CHECK_THROWS_WITH_AS(task.process(node, Halt{"enough"}, out), "enough", ModuleFailure);
  CHECK(out.empty());
}

}  // namespace mirbft::node_test
