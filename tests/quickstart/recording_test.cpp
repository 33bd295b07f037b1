// The quickstart's own check of what is delivered: every kind of wrong delivery is counted, and
// every difference in order changes the digest of the log.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/app/key_value_store.hpp>

#include "../../examples/replica/recording.hpp"

namespace mirbft::recording_test {

using namespace quickstart;

namespace {

using Recorder = Recording<KeyValueStore>;
static_assert(IsApp<Recorder>);

Request request(std::uint64_t client, std::uint64_t number, const char* body) {
  return {ClientId(client), ReqNo(number), Bytes(body), {}};
}
const Request first = request(0, 0, "SET a 1");
const Request second = request(1, 0, "SET b 2");
const Request third = request(0, 1, "INCR a");

/// A recorder of these three, and what it waits for.
struct Recorded {
  explicit Recorded(const std::vector<std::vector<Request>>& batches = {}, const char* name = "c")
      : recorder(KeyValueStore(), Bytes(name), workload, countdown) {
    SeqNr sn;
    for (const auto& batch : batches) {
      recorder.apply(sn, batch);
      ++sn;
    }
  }

  Workload workload{{"SET a 1", "SET b 2", "INCR a"}, {ClientId(0), ClientId(1)}};
  Countdown countdown{workload.size(), 1};
  Recorder recorder;
};

}  // namespace

TEST_CASE("recording: passes everything on to the App, and counts what is right") {
  Recorded made;
  const std::vector<Request> batch{first, second, third};
  CHECK(made.recorder.apply(SeqNr(4), batch) ==
        std::vector<Bytes>{Bytes("+OK"), Bytes("+OK"), Bytes(":2")});
  CHECK(made.recorder.last_sn() == SeqNr(4));
  CHECK(made.recorder.repeated() == 0);
  CHECK(made.recorder.foreign() == 0);
  CHECK(made.countdown.delivered() == 3);

  KeyValueStore store;
  store.restore(made.recorder.snapshot().view());
  CHECK(store.find("a") == "2");
}

TEST_CASE("recording: a second delivery, and one that nobody asked for") {
  CHECK(Recorded({{first}, {second, first}}).recorder.repeated() == 1);
  CHECK(Recorded({{first, first, first}}).recorder.repeated() == 2);
  CHECK(Recorded({{request(0, 0, "SET a 9")}}).recorder.foreign() == 1);
  CHECK(Recorded({{request(1, 1, "INCR a")}}).recorder.foreign() == 1);
  CHECK(Recorded({{request(7, 0, "SET a 1")}}).recorder.foreign() == 1);
}

TEST_CASE("recording: the digest of the log tells every history from every other") {
  std::set<Digest> digests;
  digests.insert(Recorded().recorder.log());
  digests.insert(Recorded({{first}}).recorder.log());
  digests.insert(Recorded({{first, second}}).recorder.log());
  digests.insert(Recorded({{second, first}}).recorder.log());
  digests.insert(Recorded({{first}, {second}}).recorder.log());
  digests.insert(Recorded({{second}, {first}}).recorder.log());
  digests.insert(Recorded({{}, {first, second}}).recorder.log());
  digests.insert(Recorded({{first, second}}, "another cluster").recorder.log());
  CHECK(digests.size() == 8);
  CHECK(Recorded({{first}, {second}}).recorder.log() ==
        Recorded({{first}, {second}}).recorder.log());
}

TEST_CASE("countdown: complete when all is delivered and every client has its replies") {
  Countdown countdown(2, 2);
  countdown.delivered(1);
  countdown.client_finished();
  countdown.delivered(1);
  CHECK_FALSE(countdown.complete());
  std::uint64_t woken = 0;
  CHECK(::eventfd_read(countdown.handle(), &woken) != 0);
  countdown.client_finished();
  CHECK(countdown.complete());
  CHECK(::eventfd_read(countdown.handle(), &woken) == 0);
  CHECK_FALSE(countdown.ended());
  countdown.end();
  CHECK(::eventfd_read(countdown.handle(), &woken) == 0);
  CHECK(countdown.ended());
}

}  // namespace mirbft::recording_test
