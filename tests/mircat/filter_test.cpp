#include <mirbft/mircat/filter.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/log/writer.hpp>
#include <mirbft/mircat/logs.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/reflect.hpp>

#include "../log/sample_log.hpp"

namespace sample {

struct Ping {
  std::uint64_t round = 0;
};
struct Pong {
  std::uint64_t round = 0;
  std::vector<std::uint32_t> seen;
};
/// Carries one of several messages, as those of a protocol do.
struct Carried_Letter {
  static constexpr auto destination = mirbft::slot::net;
  static constexpr std::uint32_t number = 1001;

  std::variant<Ping, Pong> letter;
  bool is_urgent = false;
};

}  // namespace sample

BOOST_HANA_ADAPT_STRUCT(sample::Ping, round);
BOOST_HANA_ADAPT_STRUCT(sample::Pong, round, seen);
BOOST_HANA_ADAPT_STRUCT(sample::Carried_Letter, letter, is_urgent);

template <>
inline constexpr std::string_view
    mirbft::wire::given_name<std::variant<sample::Ping, sample::Pong>> = "Letter";

using namespace mirbft;
using namespace mirbft::mircat;

namespace {

struct Letters {
  std::vector<sample::Carried_Letter> all;

  template <class Look>
  void for_each(Look&& look) const {
    for (const auto& one : all) look(one);
  }
};

/// Two nodes' logs of 0: Tick, 1: NewRequest, 2: Tick, 3: Measured, 4: Deliver, 5 and 6: letters;
/// their lists are dispatched a second apart.
class SampleLogs {
 public:
  SampleLogs() {
    write(one_.path(), 0);
    write(two_.path(), 1);
  }

  /// The "node:index" of the events that a filter lets through.
  std::string passed(const std::string& text) const {
    Logs logs({one_.path(), two_.path()});
    const Filter filter = Filter::parse(text);
    std::string passed;
    while (const auto found = logs.next())
      if (filter(*found))
        passed += (passed.empty() ? "" : " ") + std::to_string(found->node.value) + ':' +
                  std::to_string(found->event.index);
    return passed;
  }

  void check(const std::string& text) const {
    Filter::parse(text).check(Logs({one_.path(), two_.path()}));
  }

 private:
  using Types = joined<sample::Types, events<sample::Carried_Letter>>;

  static void write(const std::string& path, std::uint32_t node) {
    constexpr std::uint64_t second = nanoseconds_per_second;
    LogWriter log(path);
    log.begin(NodeId(node), bytes_of("sample"), Types{});
    using namespace sample;
    log.append(slot::tracker, List{tick(-5), new_request(3, "SET a,b 1"), tick(70)}, second);
    log.append(slot::protocol, List{Measured{-40, "Oslo"}}, 2 * second);
    log.append(slot::store, List{deliver(5 + node, 2)}, 3 * second);
    log.append(slot::net, Letters{{{Ping{7}, false}, {Pong{8, {1, 300}}, true}}}, 4 * second);
  }

  sample::TemporaryFile one_;
  sample::TemporaryFile two_;
};

}  // namespace

TEST_CASE("An empty filter lets all through") {
  CHECK(Filter::parse("").empty());
  CHECK(SampleLogs().passed("  ") == "0:0 0:1 0:2 1:0 1:1 1:2 0:3 1:3 0:4 1:4 0:5 0:6 1:5 1:6");
}

TEST_CASE("Type, node, slot, index and time need no event decoded") {
  const SampleLogs logs;
  CHECK(logs.passed("type=Deliver") == "0:4 1:4");
  CHECK(logs.passed("type=deliver,MEASURED node=1") == "1:3 1:4");
  CHECK(logs.passed("type=*e*q* node=0") == "0:1");
  CHECK(logs.passed("type=T?ck node=0") == "0:0 0:2");
  CHECK(logs.passed("slot=tracker index=2") == "0:2 1:2");
  CHECK(logs.passed("slot=st*") == "0:4 1:4");
  CHECK(logs.passed("index=5.. node=0..0") == "0:5 0:6");
  CHECK(logs.passed("time=1500ms..3s node=0") == "0:3 0:4");
  CHECK(logs.passed("time=..1000000000 node=0") == "0:0 0:1 0:2");
}

TEST_CASE("A type is also found by its family, and by the message that it carries") {
  const SampleLogs logs;
  CHECK(logs.passed("type=Carried node=0") == "0:5 0:6");
  CHECK(logs.passed("type=Carried_Letter node=0") == "0:5 0:6");
  CHECK(logs.passed("type=ping") == "0:5 1:5");
  CHECK(logs.passed("type=Pong node=1") == "1:6");
  CHECK(logs.passed("type!=Ping,Tick node=0") == "0:1 0:3 0:4 0:6");
}

TEST_CASE("A field is found by its name or by the end of its path, however deep") {
  const SampleLogs logs;
  CHECK(logs.passed("sn=5") == "0:4");
  CHECK(logs.passed("sn=..5,9") == "0:4");
  CHECK(logs.passed("sn=4..6") == "0:4 1:4");
  CHECK(logs.passed("degrees=-40 node=0") == "0:3");
  CHECK(logs.passed("degrees=-50..-30 node=0") == "0:3");
  CHECK(logs.passed("now=-10..0 node=0") == "0:0");
  CHECK(logs.passed("now=* node=0") == "0:0 0:2");
  CHECK(logs.passed("round=7 node=0") == "0:5");
  CHECK(logs.passed("pong.round=8 node=0") == "0:6");
  CHECK(logs.passed("ping.round=8").empty());
  CHECK(logs.passed("seen=300 node=0") == "0:6");
  CHECK(logs.passed("is_urgent=true node=0") == "0:6");
  CHECK(logs.passed("is_urgent=0 node=0") == "0:5");
}

TEST_CASE("What protobuf leaves out is 0 where a number must be, and else nothing") {
  const SampleLogs logs;
  // The first of the batch has no req_no written down; an absent `pong` has no round.
  CHECK(logs.passed("batch.req_no=0 node=0") == "0:4");
  CHECK(logs.passed("pong.round=0").empty());
}

TEST_CASE("Texts have wildcards, and quotes for blanks and commas") {
  const SampleLogs logs;
  CHECK(logs.passed("place=Oslo node=0") == "0:3");
  CHECK(logs.passed("place=oslo").empty());
  CHECK(logs.passed("place=O*o node=0") == "0:3");
  CHECK(logs.passed("data=\"SET a,b 1\" node=0") == "0:1");
  CHECK(logs.passed("data=\"SET *\" node=0") == "0:1");
  CHECK(logs.passed("authenticator=0x0102* node=0") == "0:1");
}

TEST_CASE("!= is true where = is not") {
  const SampleLogs logs;
  CHECK(logs.passed("sn!=5 index=4..5 node=0,1") == "1:4 0:5 1:5");
}

TEST_CASE("What makes no sense is refused, and the line says how it does") {
  const auto refusal = [](const char* text) -> std::string {
    try {
      (void)Filter::parse(text);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK(refusal("Deliver") ==
        "filter = Deliver: write FIELD=VALUE, as in type=Deliver or sn=5..9");
  CHECK(refusal("=5").find("write FIELD=VALUE") != std::string::npos);
  CHECK(refusal("!=5").find("write a field before") != std::string::npos);
  CHECK(refusal("sn=").find("write a value") != std::string::npos);
  CHECK(refusal("sn=,").find("write a value") != std::string::npos);
  CHECK(refusal("sn=9..5").find("the range holds nothing") != std::string::npos);
  CHECK(refusal("node=a").find("write a number or a range") != std::string::npos);
  CHECK(refusal("index=1..x").find("write a number or a range") != std::string::npos);
  CHECK(refusal("time=noon").find("write a time") != std::string::npos);
  CHECK(refusal("slot=kitchen").find("no module has this slot: tracker") != std::string::npos);
  CHECK(refusal("data=\"SET a").find("the quote is not closed") != std::string::npos);
}

TEST_CASE("A type or a field that these logs cannot have is refused") {
  const SampleLogs logs;
  CHECK_NOTHROW(logs.check("type=Ping sn=99 type!=Tick"));
  CHECK_THROWS_WITH_AS(logs.check("type=Delivr"), doctest::Contains("filter = type=Delivr: no"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(logs.check("snn=5"), doctest::Contains("has such a field"), ConfigError);
}

TEST_CASE("An event that cannot be decoded is told with its place") {
  const sample::TemporaryFile file;
  {
    LogWriter log(file.path());
    log.begin(NodeId(0), bytes_of("sample"), sample::Types{});
    log.append(slot::protocol, sample::List{sample::Measured{1, "Oslo"}}, 1);
  }
  Logs logs({file.path()});
  auto found = logs.next();
  REQUIRE(found);
  found->event.payload = Bytes{0xff};
  CHECK_THROWS_AS((void)Filter::parse("place=Oslo")(*found), LogError);
}
