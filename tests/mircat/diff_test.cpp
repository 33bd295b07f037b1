#include <mirbft/mircat/diff.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/log/writer.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>

#include "../log/sample_log.hpp"
#include "commands.hpp"

namespace mirbft::diff_test {

using namespace mirbft::mircat;
using mirbft::testing::Ran;
using mirbft::testing::run;

namespace {

using Message = IssMessage<PbftMessage>;
using Types = events<Tick, Deliver, Applied, SignRequest<CheckpointSigning>,
                     MessageReceived<Message>, SendMessage<Message>>;

Digest digest_of(std::uint64_t number) {
  Digest digest;
  digest.bytes[0] = static_cast<std::uint8_t>(number);
  return digest;
}

/// A node's log in the making: what it delivers, answers and makes of its state.
class NodeLog {
 public:
  explicit NodeLog(std::uint16_t node) : writer_(file_.path()), node_(node) {
    writer_.begin(NodeId(node), bytes_of("sample"), Types{});
  }

  template <class E>
  NodeLog& add(Slot slot, const E& event) {
    writer_.append(slot, One<E>{event});
    return *this;
  }
  NodeLog& vote(std::uint64_t sn, std::uint16_t from, std::uint64_t digest) {
    Prepare prepare;
    prepare.sn = SeqNr(sn);
    prepare.digest = digest_of(digest);
    prepare.signature = Bytes{static_cast<std::uint8_t>(node_), 1};
    return add(slot::protocol,
               MessageReceived<Message>{NodeId(from), Message(PbftMessage(prepare))});
  }
  NodeLog& deliver(std::uint64_t sn, std::uint64_t digest) {
    return add(slot::store,
               Deliver{SeqNr(sn), Batch({RequestRef{ClientId(1), ReqNo(sn), digest_of(digest)}})});
  }
  NodeLog& apply(std::uint64_t sn, const char* result) {
    return add(slot::tracker, Applied{SeqNr(sn), {{ClientId(1), ReqNo(sn), Bytes(result)}}});
  }
  NodeLog& checkpoint(std::uint64_t last, std::uint64_t state) {
    SignRequest<CheckpointSigning> request;
    request.origin.header.last = SeqNr(last);
    request.origin.header.app_state = digest_of(state);
    return add(slot::crypto, request);
  }
  /// Sequence numbers as they should be.
  NodeLog& go(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t sn = first; sn <= last; ++sn)
      vote(sn, 3, sn).deliver(sn, sn).apply(sn, "ok");
    return *this;
  }

  std::string path() const { return file_.path(); }

 private:
  template <class E>
  struct One {
    const E& event;
    template <class Look>
    void for_each(Look&& look) const {
      look(event);
    }
  };

  sample::TemporaryFile file_;
  LogWriter writer_;
  std::uint16_t node_;
};

Ran diff(const NodeLog& left, const NodeLog& right, const char* option = "") {
  std::vector<std::pair<std::string, std::string>> words{{"left", left.path()},
                                                         {"right", right.path()}};
  if (*option != 0) words.emplace_back(option, "");
  return run(Diff(), words);
}

}  // namespace

TEST_CASE("Replicas that agree do not part, also where one is shorter or has left out some") {
  NodeLog left(0), right(1);
  left.go(0, 9).checkpoint(9, 1).go(10, 20);
  right.go(0, 4).go(8, 9).checkpoint(9, 1).go(10, 12);
  const Ran ran = diff(left, right);
  CHECK(ran.status == status::ok);
  CHECK_MESSAGE(ran.says("decisions: 10 the same, of 0..12 (left up to 20, right up to 12)"),
                ran.out);
  CHECK_MESSAGE(ran.says("checkpoints: 1 the same, of 9..9"), ran.out);
  CHECK_MESSAGE(ran.says("they do not part"), ran.out);
}

TEST_CASE("Replicas without a common sequence number are told so") {
  NodeLog left(0), right(1);
  left.go(0, 4);
  right.go(8, 9);
  const Ran ran = diff(left, right);
  CHECK(ran.status == status::ok);
  CHECK_MESSAGE(ran.says("no sequence number in common"), ran.out);
}

TEST_CASE("Batches that differ are found, and the votes that led there stand side by side") {
  NodeLog left(0), right(1);
  left.go(0, 6).vote(7, 2, 7).vote(7, 3, 7).deliver(7, 7).apply(7, "ok").go(8, 9);
  right.go(0, 6).vote(7, 3, 8).vote(7, 2, 7).vote(7, 1, 8).deliver(7, 8).apply(7, "no").go(8, 9);
  const Ran ran = diff(left, right);
  CHECK(ran.status == status::finding);
  CHECK_MESSAGE(ran.says("they part at sequence number 7: decisions differ (event 23 on the left, "
                         "24 on the right)"),
                ran.out);
  CHECK_MESSAGE(ran.says("  modified: batch[0].digest: 0x07"), ran.out);
  CHECK_MESSAGE(ran.says("decisions: 7 the same, of 0..6"), ran.out);
  // The signatures differ, which is no matter: the votes of node 2 are the same.
  CHECK_MESSAGE(ran.says("  =       21       22  protocol MessageReceived from=2 Prepare sn=7 "),
                ran.out);
  CHECK_MESSAGE(ran.says("  !       22       21  protocol MessageReceived from=3 Prepare sn=7 "),
                ran.out);
  CHECK_MESSAGE(ran.says("  !        -       23  protocol -\n"), ran.out);
  CHECK_FALSE(ran.says("Applied"));

  const Ran json = diff(left, right, "--json");
  CHECK(json.status == status::finding);
  CHECK_MESSAGE(json.says(R"("parting":{"kind":"decisions","sn":7,"left_index":23)"), json.out);
  CHECK_MESSAGE(json.says(R"("left_index":null,"right_index":23,"left":null)"), json.out);
}

TEST_CASE("Results and checkpoints that differ are found, the lowest number of all") {
  NodeLog left(0), right(1), lower(2);
  left.go(0, 9).checkpoint(9, 1).go(10, 19).checkpoint(19, 2);
  right.go(0, 9).checkpoint(9, 1).go(10, 15).deliver(16, 16).apply(16, "other").go(17, 19);
  const Ran results = diff(left, right);
  CHECK(results.status == status::finding);
  CHECK_MESSAGE(results.says("they part at sequence number 16: results differ"), results.out);
  CHECK_MESSAGE(results.says("modified: replies[0].result: \"ok\" -> \"other\""), results.out);
  CHECK_MESSAGE(results.says("checkpoints: 1 the same, of 9..9"), results.out);
  // A checkpoint may come late.
  lower.go(0, 15).deliver(16, 16).apply(16, "other").checkpoint(9, 7).go(17, 19);
  const Ran state = diff(left, lower);
  CHECK_MESSAGE(state.says("they part at sequence number 9: checkpoints differ"), state.out);
  CHECK_MESSAGE(state.says("app_state: 0x01"), state.out);
}

TEST_CASE("Two logs of one node are compared event by event") {
  NodeLog left(0), same(0), longer(0), other(0), another(0);
  left.go(0, 3);
  same.go(0, 3);
  longer.go(0, 4);
  other.go(0, 2).vote(3, 3, 4).go(3, 3);
  another.go(0, 2).checkpoint(1, 1);
  CHECK(diff(left, same, "--events").status == status::ok);
  CHECK(diff(left, same, "--events").out == "12 events are the same\n");
  const Ran shorter = diff(left, longer, "--events");
  CHECK(shorter.status == status::ok);
  CHECK_MESSAGE(shorter.says("there " + left.path() + " ends, " + longer.path() + " goes on"),
                shorter.out);
  const Ran found = diff(left, other, "--events");
  CHECK(found.status == status::finding);
  CHECK_MESSAGE(found.says("9 events are the same\nthen they part:\n  9 protocol "), found.out);
  CHECK_MESSAGE(found.says("digest: 0x03"), found.out);
  const Ran type = diff(left, another, "--events");
  CHECK_MESSAGE(type.says("type: MessageReceived"), type.out);
  const Ran json = diff(left, other, "--json");
  CHECK_MESSAGE(json.says(R"("parting":null)"), json.out);
}

TEST_CASE("What is no log is refused") {
  const NodeLog log(0);
  CHECK_THROWS_AS(run(Diff(), {{"left", log.path()}, {"right", "/nowhere"}}), ConfigError);
}

}  // namespace mirbft::diff_test
