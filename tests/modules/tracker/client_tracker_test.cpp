#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/wire/request_bytes.hpp>

#include "../../support/tracker_fixture.hpp"

namespace mirbft::client_tracker_test {

using mirbft::testing::small_config;
using mirbft::testing::TrackerFixture;
using Bodies = std::vector<std::string>;

namespace {

constexpr std::uint64_t overhead = TrackerConfig::request_overhead;

/// Nothing is open, and nothing was left behind.
void check_idle(const TrackerFixture& node) {
  CHECK(node.status().checking == 0);
  CHECK(node.status().pending == 0);
  CHECK(node.status().pending_bytes == 0);
}

}  // namespace

TEST_CASE("a request goes through hash, signature and store, and is ready when it is durable") {
  TrackerFixture node;
  node.tracker.process(Init{}, node.out);
  node.submit(1, 7, "body", "good", Spread::by_replica);

  const auto hash = node.out.take<HashRequest<RequestHash>>();
  CHECK(hash.parts ==
        wire::request_parts(bytes_of("test"), ClientId(1), ReqNo(7), Bytes("body")));
  CHECK(node.status().checking == 1);
  CHECK(node.status().pending_bytes == 8 + overhead);
  CHECK(node.out.empty());

  Digest digest;
  digest.bytes[0] = 9;
  node.tracker.process(HashResult<RequestHash>{digest, hash.origin}, node.out);
  const auto verify = node.out.take<VerifyRequestSig>();
  const RequestRef reference{ClientId(1), ReqNo(7), digest};
  CHECK(verify.reference == reference);
  CHECK(verify.authenticator == Bytes("good"));

  node.tracker.process(RequestSigVerified{reference, SignatureCheck::valid}, node.out);
  CHECK(node.out.size() == 1);
  CHECK(node.out.count<RequestReady>() == 0);
  const auto store = node.out.take<StoreVerifiedRequest>();
  CHECK(store.reference == reference);
  CHECK(store.data == Bytes("body"));
  CHECK(store.authenticator == Bytes("good"));
  const auto ready = node.out.take<RequestReady>();
  CHECK(ready.reference == reference);
  CHECK(ready.size == 4);
  CHECK(ready.spread == Spread::by_replica);
  CHECK(node.status().admitted == 1);
  CHECK(node.status().pending == 1);
  CHECK(node.status().pending_bytes == 8 + overhead);

  node.apply(3, 1, 7, "result");
  const auto replied = node.out.take<Replied>();
  CHECK(replied.client == ClientId(1));
  CHECK(replied.req_no == ReqNo(7));
  CHECK(replied.outcome == Outcome::delivered);
  CHECK(replied.sn == SeqNr(3));
  CHECK(replied.result == Bytes("result"));
  CHECK(node.out.empty());
  CHECK(node.status().delivered == 1);
  check_idle(node);
}

TEST_CASE("a request that is too large is refused") {
  TrackerConfig config = small_config();
  config.max_request_bytes = 4;
  TrackerFixture node(config);
  node.submit(1, 0, "12345");
  CHECK(node.outcome() == Outcome::rejected_size);
  node.submit(1, 0, "1234", std::string(TrackerConfig::max_authenticator_bytes + 1, 'x'));
  CHECK(node.outcome() == Outcome::rejected_size);
  CHECK(node.out.empty());
  CHECK(node.status().rejected_size == 2);
  CHECK(node.status().clients == 0);

  node.submit(1, 0, "1234");
  node.work();
  CHECK(node.stored() == Bodies{"1234"});
}

TEST_CASE("the window holds until the windows move") {
  TrackerFixture node;
  node.submit(1, 99, "last");
  node.submit(1, 100, "beyond");
  CHECK(node.outcome() == Outcome::rejected_window);
  node.submit(1, UINT64_MAX, "far beyond");
  CHECK(node.outcome() == Outcome::rejected_window);
  CHECK(node.status().rejected_window == 2);
  node.work();
  CHECK(node.stored() == Bodies{"last"});

  node.apply(0, 1, 0, "");
  node.out.clear();
  node.submit(1, 100, "still beyond");  // a delivery alone does not move it
  CHECK(node.outcome() == Outcome::rejected_window);

  node.move(1, 1);
  node.submit(1, 100, "inside");
  node.submit(1, 101, "beyond");
  CHECK(node.outcome() == Outcome::rejected_window);
  node.work();
  CHECK(node.stored() == Bodies{"inside"});
}

TEST_CASE("a number outside the window is answered with the client's position") {
  TrackerFixture node;
  const auto position = [&] {
    node.submit(1, never_valid.value, "");
    const auto reply = node.out.take<Replied>();
    CHECK(reply.outcome == Outcome::rejected_window);
    return wire::decode<ClientPosition>(reply.result, wire::Form::canonical);
  };
  const auto at = [](std::uint64_t low, std::uint64_t next) {
    return ClientPosition{ReqNo(low), ReqNo(next)};
  };
  CHECK(position() == at(0, 0));
  CHECK(node.status().clients == 0);
  node.submit(1, 4, "forged", "bad");
  node.work();
  node.out.clear();
  CHECK(position() == at(0, 0));
  node.submit(1, 5, "open");
  node.submit(1, 50, "not its own", "bad");
  CHECK(position() == at(0, 0));  // nobody knows yet whether it has signed them
  node.work();
  node.out.clear();
  CHECK(position() == at(0, 6));
  node.apply(0, 1, 5, "");
  node.out.clear();
  CHECK(position() == at(0, 6));
  node.move(1, 3);
  CHECK(position() == at(3, 6));
  node.move(1, 20);
  CHECK(position() == at(20, 20));
  node.submit(1, never_valid.value, "", "", Spread::relayed);
  CHECK(node.out.empty());
}

TEST_CASE("the windows never go back") {
  TrackerFixture node;
  node.move(1, 10);
  node.move(1, 5);
  node.submit(1, 7, "old");
  CHECK(node.outcome() == Outcome::already_delivered);
}

TEST_CASE("a forged payload that comes first does not block the honest one") {
  TrackerFixture node;
  node.submit(1, 0, "forged", "bad");
  node.submit(1, 0, "honest");
  SUBCASE("whatever the order of the verdicts") {
    node.hash();
    node.hash();
    node.verify();
    CHECK(node.outcome() == Outcome::rejected_signature);
    node.verify();
  }
  SUBCASE("even if the honest one overtakes it") {
    const auto forged = node.out.take<HashRequest<RequestHash>>();
    node.hash();
    node.verify();
    node.tracker.process(
        HashResult<RequestHash>{testing::digest_of(Bytes("forged")), forged.origin}, node.out);
    CHECK(node.outcome() == Outcome::rejected_conflict);
  }
  CHECK(node.stored() == Bodies{"honest"});
  CHECK(node.out.empty());
  CHECK(node.status().equivocations == 0);
  CHECK(node.status().checking == 0);
  CHECK(node.status().pending_bytes == 10 + overhead);
}

TEST_CASE("a forged authenticator on the honest body does not block the honest one") {
  TrackerFixture node;
  node.submit(1, 0, "body", "bad 1");
  node.submit(1, 0, "body", "bad 2");
  node.submit(1, 0, "body", "good");
  node.submit(1, 0, "body", "bad 3");
  node.hash();
  node.hash();
  node.hash();
  node.hash();
  CHECK(node.out.count<VerifyRequestSig>() == 1);  // a verdict could not be told from another's
  node.verify();
  CHECK(node.out.count<VerifyRequestSig>() == 1);
  node.verify();
  CHECK(node.status().rejected_signature == 2);
  node.out.take<Replied>();
  node.out.take<Replied>();
  node.verify();
  CHECK(node.stored() == Bodies{"body"});
  CHECK(node.out.empty());  // the last one shares the outcome
  CHECK(node.status().repeated == 1);
  CHECK(node.status().checking == 0);
}

TEST_CASE("the same request twice goes on once") {
  TrackerFixture node;
  node.submit(1, 0, "body");
  node.submit(1, 0, "body");  // not even hashed
  CHECK(node.out.count<HashRequest<RequestHash>>() == 1);
  node.work();
  CHECK(node.stored() == Bodies{"body"});

  node.submit(1, 0, "body");  // admitted already
  node.work();
  CHECK(node.out.empty());
  CHECK(node.status().repeated == 2);

  node.apply(0, 1, 0, "done");
  CHECK(node.outcome() == Outcome::delivered);
  CHECK(node.out.empty());
  check_idle(node);
}

TEST_CASE("who passes a request on does so though a client's copy came first") {
  TrackerFixture node;
  node.submit(1, 0, "body", "good", Spread::by_client);
  node.submit(1, 0, "body", "good", Spread::by_replica);
  node.work();
  node.out.take<StoreVerifiedRequest>();
  CHECK(node.out.take<RequestReady>().spread == Spread::by_replica);
}

TEST_CASE("for a refused relayed request nobody waits, and the caller's own goes through") {
  const auto forge = [](TrackerFixture& f) {
    f.submit(1, 0, "forged", "bad", Spread::relayed);
    f.submit(1, 0, std::string(100'000, 'x'), "good", Spread::relayed);
    f.submit(1, 1000, "outside the window", "good", Spread::relayed);
  };
  TrackerFixture f;
  SUBCASE("before the caller's") {
    forge(f);
    f.work();
    f.submit(1, 0, "good");
  }
  SUBCASE("beside the caller's") {
    forge(f);
    f.submit(1, 0, "good");
  }
  SUBCASE("after the caller's") {
    f.submit(1, 0, "good");
    f.work();
    forge(f);
    f.submit(1, 0, "another body", "good", Spread::relayed);
  }
  f.work();
  CHECK(f.out.count<Replied>() == 0);
  CHECK(f.stored() == std::vector<std::string>{"good"});
  CHECK(f.status().rejected_size == 1);
  CHECK(f.status().rejected_window == 1);
  f.apply(0, 1, 0, "done");
  CHECK(f.outcome() == Outcome::delivered);
  CHECK(f.out.count<Replied>() == 0);
}

TEST_CASE("another payload under an admitted number is a conflict") {
  TrackerFixture node;
  node.submit(1, 0, "first");
  node.work();
  node.submit(1, 0, "second");
  node.hash();
  CHECK(node.outcome() == Outcome::rejected_conflict);
  CHECK(node.stored() == Bodies{"first"});
  CHECK(node.out.empty());
  CHECK(node.status().rejected_conflict == 1);
  CHECK(node.status().equivocations == 0);  // its signature was not looked at
  CHECK(node.status().checking == 0);
}

TEST_CASE("a client that signs two payloads for one number is found out") {
  TrackerFixture node;
  node.submit(1, 0, "first");
  node.submit(1, 0, "second");
  node.work();
  CHECK(node.outcome() == Outcome::rejected_conflict);
  CHECK(node.stored() == Bodies{"first"});
  CHECK(node.status().equivocations == 1);
  CHECK(node.status().pending_bytes == 9 + overhead);
}

TEST_CASE("what a proposal names is admitted beside another payload") {
  TrackerFixture node;
  node.submit(1, 0, "first");
  node.work();
  node.fetched(1, 0, "second");
  node.fetched(1, 0, "forged", "bad");
  node.work();
  CHECK(node.stored() == Bodies{"first", "second"});
  CHECK(node.out.empty());  // nobody waits for what was fetched
  CHECK(node.status().pending == 2);
  CHECK(node.status().equivocations == 1);
  CHECK(node.status().rejected_signature == 1);

  node.fetched(1, 0, "second");
  node.submit(1, 0, "second");
  node.work();
  CHECK(node.out.empty());
  CHECK(node.status().repeated == 2);

  node.apply(0, 1, 0, "");
  check_idle(node);
}

TEST_CASE("a request that is being checked when a proposal names it counts as fetched") {
  TrackerFixture node;
  node.submit(1, 0, "first");
  node.submit(1, 0, "second");
  SUBCASE("as the same submission") { node.fetched(1, 0, "second"); }
  SUBCASE("with another authenticator") {
    node.fetched(1, 0, "second", "bad");
    node.fetched(1, 0, "second");
  }
  SUBCASE("though it waits for the verdict on another authenticator") {
    node.submit(1, 0, "second", "bad");
    node.fetched(1, 0, "second", "bad");
  }
  node.work();
  CHECK(node.stored() == Bodies{"first", "second"});
  CHECK(node.status().checking == 0);
}

TEST_CASE("a client's own submission is answered though it was fetched first") {
  TrackerFixture node;
  node.fetched(1, 0, "body", "bad");
  node.submit(1, 0, "body", "bad");
  node.work();
  CHECK(node.outcome() == Outcome::rejected_signature);
}

TEST_CASE("payloads under one number are few, and proposals have room of their own") {
  TrackerFixture node;
  for (int i = 0; i < 5; ++i) node.submit(1, 0, "forged " + std::to_string(i), "bad");
  CHECK(node.outcome() == Outcome::overloaded);
  for (int i = 0; i < 5; ++i) node.fetched(1, 0, "fetched " + std::to_string(i), "bad");
  CHECK(node.status().overloaded == 2);
  CHECK(node.status().checking == 8);

  node.fetched(1, 0, "fetched 0", "bad");  // known already
  CHECK(node.status().overloaded == 2);

  node.work();
  CHECK(node.out.count<Replied>() == 4);
  check_idle(node);
  CHECK(node.status().clients == 0);
}

TEST_CASE("open requests are bounded in bytes, and proposals have room of their own") {
  TrackerConfig config = small_config();
  config.max_request_bytes = 1000;
  config.max_pending_bytes = 1000 + TrackerConfig::max_authenticator_bytes + overhead;
  const std::size_t fit = config.max_pending_bytes / (100 + 4 + overhead);
  TrackerFixture node(config);
  const std::string body(100, 'x');
  for (std::size_t i = 0; i <= fit; ++i) node.submit(1, i, body);
  CHECK(node.outcome() == Outcome::overloaded);
  CHECK(node.status().checking == fit);
  node.work();
  node.submit(1, 50, body);
  CHECK(node.outcome() == Outcome::overloaded);  // admitted ones count on

  for (std::size_t i = 0; i < 2 * fit; ++i) node.fetched(2, i, body);
  CHECK(node.status().pending_bytes <= 2 * config.max_pending_bytes);
  CHECK(node.status().checking >= fit);
  CHECK(node.status().checking < 2 * fit);
  node.work();

  for (std::size_t i = 0; i < 2 * fit; ++i) {
    node.apply(i, 1, i, "");
    node.apply(i, 2, i, "");
  }
  check_idle(node);
  node.out.clear();
  node.submit(1, 50, body);
  node.work();
  CHECK(node.stored() == Bodies{body});
}

TEST_CASE("clients are bounded, and forgeries leave no trace") {
  TrackerConfig config = small_config();
  config.max_clients = 2;
  TrackerFixture node(config);
  node.submit(1, 0, "a", "bad");
  node.submit(2, 0, "b");
  node.submit(3, 0, "c");
  CHECK(node.outcome() == Outcome::overloaded);
  node.fetched(3, 0, "c");  // a proposal names it: its client has been let in elsewhere
  node.work();
  CHECK(node.outcome() == Outcome::rejected_signature);
  CHECK(node.stored() == Bodies{"b", "c"});
  CHECK(node.status().clients == 2);

  node.submit(4, 0, "d");
  CHECK(node.outcome() == Outcome::overloaded);
  node.apply(0, 4, 9, "");  // delivered by others
  CHECK(node.outcome() == Outcome::delivered);
  CHECK(node.status().clients == 3);
}

TEST_CASE("a delivered request that is submitted again gets its result again") {
  TrackerFixture node;
  node.apply(5, 1, 3, "result");
  node.out.clear();
  node.submit(1, 3, "whatever", "bad");
  const auto replied = node.out.take<Replied>();
  CHECK(replied.outcome == Outcome::delivered);
  CHECK(replied.sn == SeqNr(5));
  CHECK(replied.result == Bytes("result"));
  CHECK(node.status().already_delivered == 1);
  CHECK(node.out.empty());

  node.fetched(1, 3, "whatever");
  CHECK(node.out.empty());

  node.move(1, 4);
  node.submit(1, 3, "whatever");
  CHECK(node.outcome() == Outcome::delivered);
  node.submit(1, 2, "delivered before this node knew");
  CHECK(node.outcome() == Outcome::already_delivered);
}

TEST_CASE("the newest results are kept, within their bytes") {
  TrackerConfig config = small_config();
  config.reply_cache_bytes = 1000;
  TrackerFixture node(config);
  for (std::uint64_t i = 0; i < 10; ++i) node.apply(i, 1, i, std::string(200, 'r'));
  node.apply(10, 1, 10, std::string(2000, 'r'));
  node.apply(11, 1, 11, std::string(200, 'r'));
  node.out.clear();
  node.submit(1, 11, "");
  CHECK(node.outcome() == Outcome::delivered);
  node.submit(1, 10, "");
  CHECK(node.outcome() == Outcome::already_delivered);
  node.submit(1, 9, "");
  CHECK(node.outcome() == Outcome::already_delivered);
}

TEST_CASE("a delivery ends what is being checked under its number") {
  TrackerFixture node;
  node.submit(1, 0, "one");
  node.submit(1, 0, "two");
  node.hash();
  node.apply(0, 1, 0, "result");
  CHECK(node.outcome() == Outcome::delivered);
  check_idle(node);
  node.work();  // late answers change nothing
  CHECK(node.out.empty());
  check_idle(node);
}

TEST_CASE("the windows may overtake the replies of the epoch before") {
  TrackerFixture node;
  for (std::uint64_t i = 0; i < 3; ++i) node.submit(1, i, "body");
  node.work();
  CHECK(node.stored().size() == 3);
  node.submit(1, 1, "late", "bad");
  node.submit(1, 2, "too late");

  node.move(1, 1, Bytes{0b10});  // 0 and 2 are delivered
  CHECK(node.out.count<Replied>() == 0);
  CHECK(node.status().checking == 1);
  node.submit(1, 0, "body");
  node.submit(1, 2, "body");
  CHECK(node.out.count<Replied>() == 0);

  node.apply(8, 1, 0, "zero");
  CHECK(node.out.take<Replied>().result == Bytes("zero"));
  node.apply(9, 1, 2, "two");
  CHECK(node.out.take<Replied>().result == Bytes("two"));
  CHECK(node.status().pending == 1);
  CHECK(node.status().checking == 1);
}

TEST_CASE("after a state transfer, submitters are told that their requests were delivered") {
  TrackerFixture node;
  for (std::uint64_t i = 0; i < 4; ++i) node.submit(1, i, "body");
  node.work();
  CHECK(node.stored().size() == 4);
  // 0 to 2, in an epoch that this node did not apply, and perhaps the last one that ever ends.
  node.move(1, 2, Bytes{0b01}, Reached::by_restoring);
  CHECK(node.out.count<Replied>() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto replied = node.out.take<Replied>();
    CHECK(replied.req_no == ReqNo(i));
    CHECK(replied.outcome == Outcome::already_delivered);
  }
  CHECK(node.status().pending == 1);
  node.submit(1, 2, "body");
  CHECK(node.outcome() == Outcome::already_delivered);
}

TEST_CASE("bits of a window count from its low, wherever that is") {
  for (const std::uint64_t low : {0u, 1u, 7u, 49u, 55u, 57u, 63u, 64u, 1000u}) {
    TrackerFixture node;
    node.move(1, low, Bytes{0x00, 0x81, 0x01});
    for (std::uint64_t i = 0; i < 30; ++i) {
      node.submit(1, low + i, "body", "bad");
      const bool delivered = i == 8 || i == 15 || i == 16;
      CHECK(node.out.count<Replied>() == (delivered ? 1 : 0));
      node.out.clear();
    }
  }
}

TEST_CASE("answers to questions that were never asked change nothing") {
  TrackerFixture node;
  node.tracker.process(HashResult<RequestHash>{{}, {ClientId(1), ReqNo(0), 0}}, node.out);
  node.tracker.process(RequestSigVerified{{ClientId(1), ReqNo(0), {}}, SignatureCheck::valid},
                       node.out);
  node.submit(1, 0, "body");
  node.tracker.process(HashResult<RequestHash>{{}, {ClientId(1), ReqNo(0), 99}}, node.out);
  node.tracker.process(RequestSigVerified{{ClientId(1), ReqNo(0), {}}, SignatureCheck::valid},
                       node.out);
  CHECK(node.out.size() == 1);
  CHECK(node.status().checking == 1);
  CHECK(node.status().admitted == 0);
}

TEST_CASE("a delivery far outside the window is answered and takes no memory") {
  TrackerFixture node;
  node.apply(0, 1, UINT64_MAX, "result");
  CHECK(node.outcome() == Outcome::delivered);
  node.submit(1, 5, "body");
  node.work();
  CHECK(node.stored() == Bodies{"body"});
}

TEST_CASE("a Tracker may be moved, with what is open in it") {
  TrackerFixture node;
  node.submit(1, 0, "body");
  ClientTracker moved = std::move(node.tracker);
  node.tracker = std::move(moved);
  node.work();
  CHECK(node.stored() == Bodies{"body"});
}

TEST_CASE("what was admitted under an old key is void, and may be signed anew") {
  TrackerFixture node;
  node.submit(1, 0, "open");
  node.submit(1, 1, "passed on", "good", Spread::relayed);
  node.submit(2, 0, "another's");
  node.work();
  CHECK(node.stored().size() == 3);
  node.rekey(1, 6);
  node.keys = Epoch(6);
  const auto refused = node.out.take<Replied>();
  CHECK(refused.client == ClientId(1));
  CHECK(refused.req_no == ReqNo(0));
  CHECK(refused.outcome == Outcome::rejected_signature);
  CHECK(node.out.empty());
  CHECK(node.status().pending == 1);
  CHECK(node.status().clients == 1);

  node.submit(1, 0, "open");
  node.hash();
  node.verify();
  (void)node.out.take<StoreVerifiedRequest>();
  CHECK(node.out.take<RequestReady>().keys == Epoch(6));
}

TEST_CASE("a verdict by an old key does not count: it is asked for again") {
  TrackerFixture node;
  node.submit(1, 0, "body");
  node.hash();
  node.rekey(1, 6);
  node.verify();
  CHECK(node.out.count<StoreVerifiedRequest>() == 0);
  REQUIRE(node.out.count<VerifyRequestSig>() == 1);
  SUBCASE("it is authentic by the new one") {
    node.keys = Epoch(6);
    node.verify();
    CHECK(node.stored() == Bodies{"body"});
  }
  SUBCASE("it is not") {
    const auto asked = node.out.take<VerifyRequestSig>();
    node.tracker.process(
        RequestSigVerified{asked.reference, SignatureCheck::invalid, Epoch(6)}, node.out);
    CHECK(node.outcome() == Outcome::rejected_signature);
    CHECK(node.status().checking == 0);
  }
}

TEST_CASE("what is delivered stays so when its client gets a new key") {
  TrackerFixture node;
  node.submit(1, 0, "body");
  node.work();
  CHECK(node.stored() == Bodies{"body"});
  node.tracker.process(
      WindowsMoved{Epoch(6), {{ClientId(1), ReqNo(1), {}}}, {ClientId(1)}}, node.out);
  CHECK(node.out.empty());  // its result is on the way
  node.apply(7, 1, 0, "result");
  CHECK(node.outcome() == Outcome::delivered);
  CHECK(node.status().pending == 0);
}

}  // namespace mirbft::client_tracker_test
