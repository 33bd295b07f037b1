#include <mirbft/protocol/solo.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "../support/recorder.hpp"

namespace mirbft::solo_test {
namespace {

RequestRef request(std::uint64_t number) { return {ClientId(1), ReqNo(number), {}}; }

}  // namespace

TEST_CASE("each request is delivered by itself, in the order in which they become ready") {
  Solo solo;
  testing::Recorder out;
  for (const std::uint64_t number : {5u, 3u, 4u})
    solo.process(RequestReady{request(number), 10, Spread::by_client}, out);
  for (std::uint64_t sn = 0; sn < 3; ++sn) {
    const auto decided = out.take<WalAppend<SoloDecided>>();
    CHECK(decided.entry.sn == SeqNr(sn));
    const auto delivered = out.take<Deliver>();
    CHECK(delivered.sn == SeqNr(sn));
    CHECK(*delivered.batch == *decided.entry.batch);
    CHECK(*delivered.batch == std::vector{request(sn == 0 ? 5 : sn + 2)});
  }
  CHECK(out.empty());
}

TEST_CASE("nothing is delivered before it is in the log") {
  Solo solo;
  testing::Recorder out;
  solo.process(RequestReady{request(0), 10, Spread::by_client}, out);
  CHECK(out.count<Deliver>() == 0);
  out.take<WalAppend<SoloDecided>>();
  CHECK(out.count<Deliver>() == 1);
}

TEST_CASE("after a restart it delivers what it had decided, and goes on behind it") {
  Solo solo;
  testing::Recorder out;
  for (std::uint64_t sn = 0; sn < 3; ++sn)
    solo.process(WalEntry<SoloDecided>{{SeqNr(sn), Batch({request(sn)})}}, out);
  for (std::uint64_t sn = 0; sn < 3; ++sn) {
    const auto delivered = out.take<Deliver>();
    CHECK(delivered.sn == SeqNr(sn));
    CHECK(*delivered.batch == std::vector{request(sn)});
  }
  CHECK(solo.status().next == SeqNr(3));
  CHECK(out.empty());
  solo.process(RequestReady{request(9), 10, Spread::by_client}, out);
  CHECK(out.take<WalAppend<SoloDecided>>().entry.sn == SeqNr(3));
}

TEST_CASE("messages change nothing, and are counted") {
  Solo solo;
  testing::Recorder out;
  solo.process(MessageReceived<Solo::Message>{NodeId(7), SoloNothing{}}, out);
  CHECK(out.empty());
  CHECK(solo.status().next == SeqNr(0));
  CHECK(solo.status().strangers_messages == 1);
}

}  // namespace mirbft::solo_test
