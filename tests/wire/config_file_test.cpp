// Configuration files: what is read, what keeps its default, and what a wrong one is told.
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>
#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>

using namespace mirbft;

namespace sample {

struct Place {
  NodeId id;
  std::string host = "127.0.0.1";
  std::uint16_t port = 7000;

  friend bool operator==(const Place&, const Place&) = default;
};

struct Settings {
  NodeId self;
  std::vector<Place> places;
  std::uint32_t batch = 512;
  std::int8_t small = -1;
  bool fast = true;
  std::chrono::milliseconds delay{20};
  Bytes key{1, 2};
  Digest root;
  std::array<std::uint8_t, 2> pair{};
  std::optional<Place> backup;
  std::optional<std::uint64_t> limit;
  Place own;
  std::vector<std::int64_t> numbers{4, 5};

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace sample

BOOST_HANA_ADAPT_STRUCT(sample::Place, id, host, port);
BOOST_HANA_ADAPT_STRUCT(sample::Settings, self, places, batch, small, fast, delay, key, root, pair,
                        backup, limit, own, numbers);

namespace {

using sample::Place;
using sample::Settings;

Settings parse(const std::string& text) { return wire::parse_config<Settings>(text, "a.json"); }

std::string complaint(const std::string& text) {
  try {
    parse(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}

/// A file that is gone with it.
class File {
 public:
  explicit File(const std::string& text) {
    const int handle = ::mkstemp(name_.data());
    REQUIRE(handle >= 0);
    REQUIRE(::write(handle, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(handle);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::remove(name_.c_str()); }

  const std::string& name() const { return name_; }

 private:
  std::string name_ = "/tmp/mirbft_config_XXXXXX";
};

}  // namespace

TEST_CASE("config: what is left out keeps its default, in lists too; a zero is a zero") {
  CHECK(parse("{}") == Settings{});
  Settings expected;
  expected.self = NodeId(3);
  expected.batch = 0;
  expected.fast = false;
  expected.places = {Place{NodeId(1), "example.org", 7000}, Place{NodeId(0), "127.0.0.1", 1}};
  expected.own.port = 0;
  CHECK(parse(R"({"self": 3, "batch": 0, "fast": false, "own": {"port": 0},
                  "places": [{"id": 1, "host": "example.org"}, {"port": 1}]})") == expected);
}

TEST_CASE("config: every kind of member") {
  const Settings read = parse(R"({"small": -128, "delay": 5, "key": "00ff", "pair": "0a0b",
    "limit": 18446744073709551615, "backup": {"id": 9}, "numbers": [-1, 9223372036854775807],
    "root": "00000000000000000000000000000000000000000000000000000000000000ab"})");
  CHECK(read.small == -128);
  CHECK(read.delay == std::chrono::milliseconds(5));
  CHECK(read.key == Bytes{0x00, 0xff});
  CHECK(read.pair == std::array<std::uint8_t, 2>{10, 11});
  CHECK(read.limit == std::numeric_limits<std::uint64_t>::max());
  CHECK(read.backup == Place{NodeId(9), "127.0.0.1", 7000});
  CHECK(read.numbers == std::vector<std::int64_t>{-1, std::numeric_limits<std::int64_t>::max()});
  CHECK(read.root.bytes[31] == 0xab);
}

TEST_CASE("config: what to_json prints is read back") {
  Settings settings;
  settings.self = NodeId(2);
  settings.delay = std::chrono::milliseconds(0);  // to_json counts it in nanoseconds
  settings.key = Bytes("secret");
  settings.root.bytes.fill(0x5a);
  settings.places = {Place{NodeId(4), "a \"b\" \\ c", 65535}};
  settings.backup = Place{};
  settings.small = 127;
  settings.fast = false;
  settings.numbers = {-7};
  for (const auto layout : {wire::JsonLayout::compact, wire::JsonLayout::indented})
    CHECK(parse(wire::to_json(settings, layout)) == settings);
}

TEST_CASE("config: a field that does not exist") {
  CHECK(complaint(R"({"bach": 1})") ==
        "a.json: bach = (unknown field): correct its name or remove it; known here: self, places, "
        "batch, small, fast, delay, key, root, pair, backup, limit, own, numbers");
  CHECK(complaint(R"({"places": [{}, {"prot": 1}]})") ==
        "a.json: places[1].prot = (unknown field): correct its name or remove it; known here: id, "
        "host, port");
  CHECK(complaint(R"({"own": {"Host": "x"}})").starts_with("a.json: own.Host = (unknown field)"));
}

TEST_CASE("config: a value that does not fit its field") {
  CHECK(complaint(R"({"batch": -1})") == "a.json: batch = -1: must be a whole number in range");
  CHECK(complaint(R"({"batch": "many"})") ==
        "a.json: batch = \"many\": must be a whole number in range");
  CHECK(complaint(R"({"batch": 1.5})") == "a.json: batch = 1.5: must be a whole number in range");
  CHECK(complaint(R"({"fast": 3})") == "a.json: fast = 3: must be true or false");
  CHECK(complaint(R"({"own": 3})") == "a.json: own = 3: must be an object in braces");
  CHECK(complaint(R"({"places": [{"host": 3}]})") ==
        "a.json: places[0].host = 3: must be text in quotation marks");
  CHECK(complaint(R"({"places": [{}, {"port": 65536}]})") ==
        "a.json: places[1].port = 65536: must be a whole number of at most 16 bits");
  CHECK(complaint(R"({"small": -129})") ==
        "a.json: small = -129: must be a whole number of at most 8 bits");
  CHECK(complaint(R"({"key": "0g"})") ==
        "a.json: key = \"0g\": must be hexadecimal digits, 0-9 and a-f");
  CHECK(complaint(R"({"key": "000"})") ==
        "a.json: key = \"000\": must have two hexadecimal digits for each byte");
  CHECK(complaint(R"({"root": "00"})") ==
        "a.json: root = \"00\": must be 32 bytes, two hexadecimal digits each");
  CHECK(complaint(R"({"batch": 1, "batch": 2})") ==
        "a.json: batch = (given twice): give each field once");
  CHECK(complaint(R"({"own": {"id": 1, "id": 1}})") ==
        "a.json: own.id = (given twice): give each field once");
}

TEST_CASE("config: text that is no JSON object is told its line") {
  CHECK(complaint("").starts_with("a.json = line 1: must be a JSON object: "));
  CHECK(complaint("[1]") ==
        "a.json = line 1: must be a JSON object: Root element must be a message.");
  CHECK(complaint("{\n\"self\": 1,\n\"batch\" 3\n}\n") ==
        "a.json = line 3: must be a JSON object: Expected : between key:value pair.");
  CHECK(complaint("{\n\n\"self\": 1").starts_with("a.json = line 3: must be a JSON object: "));
  CHECK(complaint("{\"self\": 1}\n\nmore").starts_with("a.json = line 3: "));
  CHECK(complaint("{\"own\": {\"host\": \"\xff\"}}").starts_with("a.json = line 1: "));
  for (const char* text : {"", "{", "]", "{\"self\":", "nothing", "\xff"})
    CHECK(complaint(text).find('\n') == std::string::npos);
}

TEST_CASE("config: what a complaint quotes is not taken for the complaint") {
  CHECK(complaint(R"({"batch": "x: Cannot find field."})") ==
        "a.json: batch = \"x: Cannot find field.\": must be a whole number in range");
  CHECK(complaint("{\"own\": {\"h: invalid value \": }}").starts_with("a.json = line 1: "));
}

TEST_CASE("config: whatever is wrong, the complaint is one short line") {
  const std::string many(1000, 'x');
  for (const char* text :
       {"{\"(x\": 1}", "{\") x\": 1}", "{\"a\\nb\": 1}", "{\"batch\": \"a\\nb\"}",
        "{\": Cannot find field.\": 1}", "{\": invalid value \": 1}", "{\"own\": {\"(\": 1}}"})
    CHECK(complaint(text).find('\n') == std::string::npos);
  for (const std::string& text :
       {"{\"" + many + "\": 1}", "{\"batch\": \"" + many + "\"}", "{\"key\": \"" + many + "\"}"}) {
    CHECK(complaint(text).starts_with("a.json"));
    CHECK(complaint(text).size() < 300);
  }
}

TEST_CASE("config: a file") {
  const File good("{\"self\": 7}\n");
  CHECK(wire::load_config<Settings>(good.name()).self == NodeId(7));

  const File bad("{\"self\": -7}\n");
  CHECK_THROWS_WITH_AS(wire::load_config<Settings>(bad.name()),
                       (bad.name() + ": self = -7: must be a whole number in range").c_str(),
                       ConfigError);
  CHECK_THROWS_WITH_AS(
      wire::load_config<Settings>("/nowhere/a.json"),
      "/nowhere/a.json = No such file or directory: must be a file that this user can read",
      ConfigError);
  CHECK_THROWS_WITH_AS(wire::load_config<Settings>("/"),
                       "/ = Is a directory: must be a file that this user can read", ConfigError);
  CHECK_THROWS_WITH_AS(wire::load_config<Settings>("/dev/zero"),
                       "/dev/zero = a long file: must be shorter than 16 MiB", ConfigError);
}
