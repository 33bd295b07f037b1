// Structs as JSON.
#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include <mirbft/wire/json.hpp>

#include "sample_types.hpp"

using namespace mirbft;
using wire::to_json;

namespace {

struct Shares {
  double half = 0.5;
  double none = std::numeric_limits<double>::quiet_NaN();
};

struct Status {
  NodeId node;
  std::string name;
  std::chrono::milliseconds uptime{0};
  std::optional<SeqNr> last;
  std::vector<sample::Ping> pings;
  std::vector<std::int32_t> offsets;
  Digest digest;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(Shares, half, none);
BOOST_HANA_ADAPT_STRUCT(Status, node, name, uptime, last, pings, offsets, digest);

TEST_CASE("json: a status, in one line and in many") {
  const Status status{NodeId(3), "a\"b", std::chrono::milliseconds(2), {}, {{1}, {2}}, {}, {}};
  const std::string zeros(64, '0');
  CHECK(to_json(status) ==
        R"({"node":3,"name":"a\"b","uptime":2000000,"last":null,)"
        R"("pings":[{"payload":1},{"payload":2}],"offsets":[],"digest":")" + zeros + "\"}");
  CHECK(to_json(status, wire::JsonLayout::indented) == R"({
  "node": 3,
  "name": "a\"b",
  "uptime": 2000000,
  "last": null,
  "pings": [
    {
      "payload": 1
    },
    {
      "payload": 2
    }
  ],
  "offsets": [],
  "digest": ")" + zeros + "\"\n}");
}

TEST_CASE("json: numbers of every kind") {
  CHECK(to_json(true) == "true");
  CHECK(to_json(std::uint8_t{65}) == "65");
  CHECK(to_json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(to_json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(to_json(sample::Direction::back) == "-1");
  CHECK(to_json(SignatureCheck::invalid) == "3");
  CHECK(to_json(SeqNr(12)) == "12");
  CHECK(to_json(std::chrono::seconds(-1)) == "-1000000000");
  CHECK(to_json(Shares{}) == R"({"half":0.5,"none":null})");
}

TEST_CASE("json: text is escaped, bytes are hexadecimal") {
  CHECK(to_json(std::string("\"\\\n\r\t\x01\x1f\x7f/ \xc3\xa9")) ==
        "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\x7f/ \xc3\xa9\"");
  CHECK(to_json("literal") == "\"literal\"");
  CHECK(to_json(std::string_view()) == "\"\"");
  CHECK(to_json(Bytes{0, 255}) == "\"00ff\"");
  CHECK(to_json(std::array<std::uint8_t, 2>{16, 1}) == "\"1001\"");
}

TEST_CASE("json: empty structs, shared values and variants") {
  CHECK(to_json(sample::Empty{}) == "{}");
  CHECK(to_json(sample::Empty{}, wire::JsonLayout::indented) == "{}");
  CHECK(to_json(Shared(std::vector<bool>{true, false})) == "[true,false]");
  CHECK(to_json(sample::Choice(sample::Ping{1})) == R"({"Ping":{"payload":1}})");
  CHECK(to_json(sample::MaybeChoice()) == "null");
}
