// Own headers: what they cover, and that they come out the same whatever the order of answers.
#include <mirbft/protocol/iss/checkpoint_maker.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss/leader_policies.hpp>

#include "../../support/iss_env.hpp"

namespace mirbft::iss::checkpoint_maker_test {
namespace {

using testing::digest_of_parts;
using testing::IssEnv;

/// What an epoch ends with.
struct End {
  std::vector<Digest> digests{Digest{}};
  std::vector<ClientWindow> windows{{ClientId(1), ReqNo(5), Bytes("\x01")}};
  Fixed policy{1};
  Fixed pace{2};
  IssConfig parameters = testing::iss_config(4);
  Bytes app = Bytes::filled(2 * chunk_size + 9, [](std::uint8_t* at) {
    for (std::uint64_t i = 0; i < 2 * chunk_size + 9; ++i)
      at[i] = static_cast<std::uint8_t>(i / chunk_size);
  });
};

enum class Answers : std::uint8_t { in_order, reversed };

template <class Origin>
void answer(CheckpointMaker& maker, IssEnv& env, Answers order) {
  std::vector<HashRequest<Origin>> asked;
  env.each<HashRequest<Origin>>(
      [&](HashRequest<Origin> one) { asked.push_back(std::move(one)); });
  if (order == Answers::reversed) std::reverse(asked.begin(), asked.end());
  for (const auto& one : asked)
    maker.process(HashResult<Origin>{digest_of_parts(one.parts), one.origin}, env);
}

/// Answers all questions and returns the headers that come out.
std::vector<CheckpointHeader> work(CheckpointMaker& maker, IssEnv& env, Answers order) {
  std::vector<CheckpointHeader> headers;
  while (env.out.count<HashRequest<CheckpointHash>>() + env.out.count<HashRequest<ChunkHash>>() +
         env.out.count<HashRequest<TreeHash>>()) {
    answer<ChunkHash>(maker, env, order);
    answer<TreeHash>(maker, env, order);
    std::vector<HashRequest<CheckpointHash>> asked;
    env.each<HashRequest<CheckpointHash>>(
        [&](HashRequest<CheckpointHash> one) { asked.push_back(std::move(one)); });
    if (order == Answers::reversed) std::reverse(asked.begin(), asked.end());
    for (const auto& one : asked)
      if (const auto header = maker.process(
              HashResult<CheckpointHash>{digest_of_parts(one.parts), one.origin}, env))
        headers.push_back(*header);
  }
  return headers;
}
void begin(CheckpointMaker& maker, IssEnv& env, Epoch epoch, const End& end = {}) {
  maker.begin(epoch, SeqNr(10 * epoch.value + 9), end.digests, end.windows, end.policy, end.pace,
              end.parameters, env);
}
void snapshot(CheckpointMaker& maker, IssEnv& env, Epoch epoch, const End& end = {}) {
  AppSnapshot all{SeqNr(10 * epoch.value + 9), chunks_of(end.app.size()), {}, 0};
  for (std::uint64_t index = 0; index < all.chunks; ++index)
    all.changed.push_back({index, chunk_of(end.app, index)});
  maker.process(std::move(all), env);
}
CheckpointHeader header_of(const End& end, Answers order = Answers::in_order) {
  CheckpointMaker maker;
  IssEnv env(testing::iss_config(4));
  begin(maker, env, Epoch(0), end);
  snapshot(maker, env, Epoch(0), end);
  const auto headers = work(maker, env, order);
  REQUIRE(headers.size() == 1);
  return headers[0];
}

}  // namespace

TEST_CASE("a header does not depend on the order of the hashes") {
  CHECK(header_of({}) == header_of({}, Answers::reversed));
}

TEST_CASE("a header covers everything") {
  const CheckpointHeader plain = header_of({});
  End end;
  SUBCASE("the log") { end.digests.push_back({}); }
  SUBCASE("windows") { end.windows[0].low = ReqNo(6); }
  SUBCASE("what is delivered in a window") { end.windows[0].delivered = Bytes("\x03"); }
  SUBCASE("the policy") { end.policy.leader = 9; }
  SUBCASE("the time-out") { end.pace.leader = 9; }
  SUBCASE("policy and time-out are not taken for one another") { std::swap(end.policy, end.pace); }
  SUBCASE("the parameters") { ++end.parameters.epoch_length; }
  SUBCASE("the last chunk of the App's state") { end.app = end.app.slice(0, end.app.size() - 1); }
  SUBCASE("no state at all") { end.app = {}; }
  CHECK(header_of(end) != plain);
}

TEST_CASE("a long state is hashed in chunks, and the digests are kept with it") {
  CheckpointMaker maker;
  IssEnv env(testing::iss_config(4));
  begin(maker, env, Epoch(0));
  CHECK(env.out.take<AppSnapshotRequest>().sn == SeqNr(9));
  (void)work(maker, env, Answers::in_order);
  snapshot(maker, env, Epoch(0));
  CHECK(env.out.count<HashRequest<ChunkHash>>() == 3 + 1);  // of the App and the clients
  const auto headers = work(maker, env, Answers::in_order);
  REQUIRE(headers.size() == 1);
  CHECK(headers[0].app_length == End{}.app.size());
  REQUIRE(maker.state(Epoch(0)));
  const CheckpointState& state = *maker.state(Epoch(0));
  CHECK(state.app_chunks == 3);
  for (std::uint64_t index = 0; index < 3; ++index) {
    const auto written = env.out.take<WalAppend<ChunkEntry>>();
    CHECK(written.entry.index == index);
    CHECK(written.entry.epoch == Epoch(0));
    CHECK(written.entry.data == chunk_of(End{}.app, index));
    CHECK(written.retention == RetentionIndex(written.entry.kept.value));
    CHECK(maker.chunks().find(Epoch(0), index)->digest == written.entry.digest);
  }
  CHECK(state.clients.digests.size() == 1);
  maker.forget(Epoch(0));
  CHECK_FALSE(maker.state(Epoch(0)));
}

TEST_CASE("each epoch's hash of the log builds on the one before") {
  CheckpointMaker maker;
  IssEnv env(testing::iss_config(4));
  // Both end before anything is hashed; the later snapshot comes first.
  begin(maker, env, Epoch(0));
  begin(maker, env, Epoch(1));
  snapshot(maker, env, Epoch(1));
  snapshot(maker, env, Epoch(0));
  const auto headers = work(maker, env, Answers::reversed);
  REQUIRE(headers.size() == 2);
  CHECK(headers[0].log != headers[1].log);

  // A maker that begins at the second epoch, with the log of the first, comes to the same.
  CheckpointMaker later;
  CheckpointHeader first = headers[0].epoch == Epoch(0) ? headers[0] : headers[1];
  CheckpointHeader second = headers[0].epoch == Epoch(0) ? headers[1] : headers[0];
  later.go_on_from(first, {});
  begin(later, env, Epoch(1));
  snapshot(later, env, Epoch(1));
  CHECK(work(later, env, Answers::in_order) == std::vector{second});
}

TEST_CASE("answers for what was given up are ignored") {
  CheckpointMaker maker;
  IssEnv env(testing::iss_config(4));
  begin(maker, env, Epoch(0));
  CheckpointHeader ahead;
  ahead.epoch = Epoch(5);
  maker.go_on_from(ahead, {});
  snapshot(maker, env, Epoch(0));
  CHECK(work(maker, env, Answers::in_order).empty());
  CHECK_FALSE(maker.state(Epoch(0)));

  CheckpointMaker other;
  other.go_on_from(ahead, {});
  std::vector<CheckpointHeader> headers;
  for (CheckpointMaker* one : {&maker, &other}) {
    begin(*one, env, Epoch(6));
    snapshot(*one, env, Epoch(6));
    for (const CheckpointHeader& header : work(*one, env, Answers::in_order))
      headers.push_back(header);
  }
  REQUIRE(headers.size() == 2);
  CHECK(headers[0] == headers[1]);
}

TEST_CASE("membership and parameters are known from the start") {
  CheckpointMaker maker;
  IssEnv env(testing::iss_config(4));
  CHECK_FALSE(maker.membership());
  maker.start(End{}.parameters, env);
  CHECK(work(maker, env, Answers::in_order).empty());
  const CheckpointHeader header = header_of({});
  CHECK(maker.membership() == header.membership);
  CHECK(maker.parameters() == header.parameters);
}

}  // namespace mirbft::iss::checkpoint_maker_test
