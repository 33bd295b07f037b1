#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/node.hpp>

#include "sample_log.hpp"

using namespace mirbft;

namespace {

/// What the Orderer below sends to others and keeps for itself.
struct Note {
  SeqNr sn;
  Digest digest;
};
struct Chosen {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 1002;
  SeqNr sn;
  RequestRef reference;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(Note, sn, digest);
BOOST_HANA_ADAPT_STRUCT(Chosen, sn, reference);

namespace {

/// Orders alone, with an event by each way there is: direct, as a follow-up, as one of a follow-up,
/// the same type by two of them, through an answer, and to itself over the Net.
class Orderer {
 public:
  using Message = std::variant<Note>;
  using consumes = events<Init, Tick, RequestReady, HashResult<Chosen>, WalEntry<Chosen>,
                          MessageReceived<Message>>;
  using emits = events<HashRequest<Chosen>, WalAppend<Chosen>, SendMessage<Message>, Deliver,
                       WalTruncate>;

  static FrameClass frame_class(const Message&) { return FrameClass::vote; }

  void process(Init, auto&) {}
  void process(WalEntry<Chosen>, auto&) {}
  void process(MessageReceived<Message>, auto&) { ++received_; }

  void process(Tick tick, auto& out) {
    if (++ticks_ % 3 != 0) return;
    const SeqNr now(static_cast<std::uint64_t>(tick.now.count()));
    out.emit(SendMessage<Message>{{NodeId(0)}, Note{now, {}}});
    out.emit(WalTruncate{RetentionIndex(received_)});
  }

  void process(RequestReady ready, auto& out) {
    out.emit(HashRequest<Chosen>{{Bytes("chain")}, {sn_, ready.reference}});
    ++sn_;
  }

  void process(HashResult<Chosen> result, auto& out) {
    const Chosen& chosen = result.origin;
    const SendMessage<Message> note{{NodeId(0)}, Note{chosen.sn, result.digest}};
    const Deliver deliver{chosen.sn, Batch({chosen.reference})};
    out.emit(WalAppend<Chosen>{chosen, RetentionIndex(1)}).then(chain(note).then(deliver), note);
    out.emit(note);
  }

 private:
  SeqNr sn_;
  std::uint64_t ticks_ = 0;
  std::uint64_t received_ = 0;
};

/// Lets everything in that comes.
class Doorman {
 public:
  using consumes = events<NewRequest, Applied>;
  using emits = events<StoreVerifiedRequest, RequestReady, Replied>;

  void process(NewRequest arrived, auto& out) {
    const RequestRef reference{arrived.request.client, arrived.request.req_no, {}};
    out.emit(StoreVerifiedRequest{reference, arrived.request.data, {}})
        .then(RequestReady{reference, 1, arrived.spread});
  }
  void process(Applied applied, auto& out) {
    for (const Reply& reply : applied.replies)
      out.emit(Replied{reply.client, reply.req_no, Outcome::delivered, applied.sn, reply.result});
  }
};

/// Enough of a hash for a test.
class Sum {
 public:
  void update(ByteView bytes) {
    for (const std::uint8_t byte : bytes)
      sum_.bytes[0] = static_cast<std::uint8_t>(sum_.bytes[0] + byte);
  }
  Digest finish() { return std::exchange(sum_, {}); }

 private:
  Digest sum_;
};

template <class Wal, class Tracker, class Protocol>
using Recorded = Node<LoopbackNet, Sum, NullCrypto, Counter, Wal, Tracker, MemoryStore, Protocol,
                      FileInterceptor>;

Request request(std::uint64_t req_no) {
  return {ClientId(req_no % 3), ReqNo(req_no), Bytes("add 1"), {}};
}

/// A log of a Node that is driven inline.
void record(const std::string& path) {
  LoopbackHub hub({NodeId(0)});
  Recorded<MemoryWal, Doorman, Orderer> node(
      {}, {LoopbackNet(hub, NodeId(0)), {}, {}, {}, {}, {}, {}, {}, FileInterceptor(path)});
  std::vector<std::future<Replied>> replies;
  for (std::uint64_t round = 0; round < 6; ++round) {
    node.tick(std::chrono::nanoseconds(round));
    for (std::uint64_t i = 0; i < round; ++i)
      replies.push_back(node.submit(request(10 * round + i)));
    while (node.process() != 0) continue;
  }
  node.finish();
  REQUIRE(node.failure() == "");
  for (auto& reply : replies) REQUIRE(reply.get().outcome == Outcome::delivered);
}

/// A log of a Node whose Wal, Protocol and Tracker run on threads of their own.
void record_on_threads(const std::string& path) {
  LoopbackHub hub({NodeId(0)});
  Recorded<on_thread<MemoryWal>, on_thread<Doorman>, on_thread<Orderer>> node(
      {}, {LoopbackNet(hub, NodeId(0)), {}, {}, {}, {}, {}, {}, {}, FileInterceptor(path)});
  std::vector<std::future<Replied>> replies;
  for (std::uint64_t i = 0; i < 50; ++i) replies.push_back(node.submit(request(i)));
  std::thread driver([&node] { node.run({}); });
  for (std::uint64_t i = 50; i < 200; ++i) replies.push_back(node.submit(request(i)));
  for (auto& reply : replies) reply.wait();
  node.stop();
  driver.join();
  REQUIRE(node.failure() == "");
}

ReplayResult replay_orderer(const std::string& path) {
  LogReader log(path);
  Orderer orderer;
  return replay(orderer, slot::protocol, log);
}

/// The log with one byte of an event's payload changed, and its checksums right.
std::string altered(const std::string& content, const LogEvent& event, std::size_t place,
                    const std::string& path) {
  using log_format::BlockHeader;
  std::string made = content;
  auto* bytes = reinterpret_cast<std::uint8_t*>(made.data());
  bytes[event.offset + log_format::EntryHeader::size + place] ^= 1;
  log_format::BlockReader blocks(LogFile::open(path));
  while (auto block = blocks.next()) {
    const std::uint64_t begin = block->offset + BlockHeader::size;
    if (event.offset < begin || event.offset >= begin + block->content.size()) continue;
    block->header.checksum = crc32c({bytes + begin, block->content.size()});
    block->header.store(bytes + block->offset);
  }
  return made;
}

}  // namespace

TEST_CASE("a module replays from its own log without a difference") {
  const sample::TemporaryFile file;
  record(file.path());

  const ReplayResult orderer = replay_orderer(file.path());
  CHECK_FALSE(orderer.difference);
  CHECK(orderer.pending == 0);
  CHECK(orderer.fed > 50);
  CHECK(orderer.compared > 75);

  LogReader log(file.path());
  Doorman doorman;
  const ReplayResult tracker = replay(doorman, slot::tracker, log);
  CHECK_FALSE(tracker.difference);
  CHECK(tracker.pending == 0);
  CHECK(tracker.compared == 45);
}

TEST_SUITE("threads") {
TEST_CASE("a log of a Node on threads replays without a difference") {
  const sample::TemporaryFile file;
  record_on_threads(file.path());
  const ReplayResult result = replay_orderer(file.path());
  REQUIRE_MESSAGE(!result.difference, result.difference->text);
  CHECK(result.pending == 0);
  CHECK(result.compared >= 5 * 200);

  LogReader log(file.path());
  Doorman doorman;
  const ReplayResult tracker = replay(doorman, slot::tracker, log);
  REQUIRE_MESSAGE(!tracker.difference, tracker.difference->text);
  CHECK(tracker.compared == 3 * 200);
}
}

TEST_CASE("a log that ends anywhere replays without a difference") {
  const sample::TemporaryFile file;
  record(file.path());
  const std::string content = file.content();
  for (const std::uint64_t end : sample::block_ends(file.path())) {
    file.write(content.substr(0, end));
    REQUIRE_FALSE(replay_orderer(file.path()).difference);
  }
}

TEST_CASE("any altered byte of any output is found") {
  const sample::TemporaryFile file;
  record(file.path());
  LogReader log(file.path());
  const auto events = sample::read_all(log);
  const std::string content = file.content();
  const sample::TemporaryFile changed;

  std::size_t at_once = 0;
  std::size_t later = 0;
  for (const LogEvent& event : events) {
    const std::array outputs{HashRequest<Chosen>::number, WalAppend<Chosen>::number,
                             SendMessage<Orderer::Message>::number, Deliver::number,
                             WalTruncate::number};
    if (std::ranges::find(outputs, event.number) == outputs.end()) continue;
    for (std::size_t place = 0; place < event.payload.size(); ++place) {
      CAPTURE(event.index);
      CAPTURE(place);
      changed.write(altered(content, event, place, file.path()));
      const ReplayResult result = replay_orderer(changed.path());
      REQUIRE(result.difference);
      REQUIRE(result.difference->recorded.index >= event.index);
      ++(result.difference->recorded.index == event.index ? at_once : later);
    }
  }
  // Only what became another event that was due is noticed later.
  CHECK(at_once > 500);
  CHECK(later < at_once / 50);
}

namespace {

/// Emits what its input says, in an order that it says too; `Own` and `Foreign` go to the store.
struct Own {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 1003;
  std::uint64_t value = 0;
};
struct Foreign {
  static constexpr auto destination = slot::store;
  static constexpr std::uint32_t number = 1004;
  std::uint64_t value = 0;
};
struct Everywhere {
  static constexpr auto destination = slot::store | slot::app | slot::net;
  static constexpr std::uint32_t number = 1005;
  std::uint64_t value = 0;
};
struct Teller {
  using consumes = events<Tick>;
  using emits = events<Own, Foreign, Everywhere>;

  void process(Tick tick, auto& out) {
    const auto now = static_cast<std::uint64_t>(tick.now.count());
    out.emit(Own{now});
    out.emit(Everywhere{now}).then();
    out.emit(Foreign{now}).then(Own{100 + now});
  }
};
using Told = events<Tick, Own, Foreign, Everywhere>;

}  // namespace

BOOST_HANA_ADAPT_STRUCT(Own, value);
BOOST_HANA_ADAPT_STRUCT(Foreign, value);
BOOST_HANA_ADAPT_STRUCT(Everywhere, value);

namespace {

class TellerLog {
 public:
  TellerLog() : writer_(file_.path()) { writer_.begin(NodeId(1), {}, Told{}); }

  template <class... Es>
  TellerLog& then(Slot slot, Es... events) {
    writer_.append(slot, Row<Es...>{{events...}});
    return *this;
  }

  /// "index: text" of the first difference, empty if there is none.
  template <class Shared = events<>>
  std::string difference() {
    LogReader log(file_.path());
    Teller teller;
    const ReplayResult result = replay<Shared>(teller, slot::protocol, log);
    pending = result.pending;
    if (!result.difference) return "";
    return std::to_string(result.difference->recorded.index) + ": " + result.difference->text;
  }

  std::uint64_t pending = 0;

 private:
  template <class... Es>
  struct Row {
    std::tuple<Es...> events;
    template <class Look>
    void for_each(Look&& look) const {
      std::apply([&](const Es&... each) { (look(each), ...); }, events);
    }
  };

  sample::TemporaryFile file_;
  LogWriter writer_;
};

Tick at(std::int64_t now) { return sample::tick(now); }

}  // namespace

TEST_CASE("direct events keep their order, follow-ups and broadcasts stand anywhere later") {
  TellerLog log;
  log.then(slot::protocol, at(1), at(2))
      .then(slot::store, Everywhere{2}, Own{1}, Own{101}, Foreign{1}, Own{2}, Everywhere{1})
      .then(slot::app, Everywhere{2}, Everywhere{1})
      .then(slot::store, Foreign{2}, Own{102});
  CHECK(log.difference() == "");
  CHECK(log.pending == 2);  // The net does not handle the broadcasts.
}

TEST_CASE("what breaks the order is a difference, named field by field") {
  CHECK(TellerLog().then(slot::store, Own{1}).difference() ==
        "0: the replay has not emitted such an event");
  CHECK(TellerLog().then(slot::protocol, at(1)).then(slot::store, Own{7}).difference() ==
        "1: modified: value: 7 -> 1\n");
  CHECK(TellerLog().then(slot::protocol, at(1)).then(slot::app, Everywhere{0}).difference() ==
        "1: modified: value: 0 -> 1\n");
  // Missing, swapped, and twice.
  CHECK(TellerLog().then(slot::protocol, at(1)).then(slot::store, Foreign{1}).difference() ==
        "1: the replay has mirbft.v1.Own { value: 1 }");
  CHECK(TellerLog().then(slot::protocol, at(1), at(2)).then(slot::store, Own{2}).difference() ==
        "2: modified: value: 2 -> 1\n");
  CHECK(TellerLog().then(slot::protocol, at(1)).then(slot::store, Own{1}, Own{1}).difference() ==
        "2: modified: value: 1 -> 101\n");
  // Emitted for the store only.
  CHECK(TellerLog().then(slot::protocol, at(1)).then(slot::app, Own{1}).difference() ==
        "1: the replay has not emitted such an event");
}

TEST_CASE("an event that others emit too may stand anywhere, but may not be missing") {
  using Shared = events<Foreign>;
  TellerLog log;
  log.then(slot::store, Foreign{1}, Foreign{9})
      .then(slot::protocol, at(1), at(2))
      .then(slot::store, Own{1}, Foreign{8}, Foreign{1}, Own{2}, Foreign{2});
  CHECK(log.difference<Shared>() == "");
  CHECK(log.difference() == "0: the replay has not emitted such an event");

  TellerLog missing;
  missing.then(slot::protocol, at(1), at(2)).then(slot::store, Own{1}, Foreign{7}, Own{2});
  CHECK(missing.difference<Shared>() == "4: the replay has mirbft.v1.Foreign { value: 1 }");
}
