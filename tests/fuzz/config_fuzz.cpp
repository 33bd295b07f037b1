// Any text as a configuration: it is read, and then what to_json prints of it is read as the same;
// or it is refused in one short line that names the source.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/json.hpp>

namespace fuzz {

struct Inner {
  mirbft::NodeId id;
  std::string host = "h";
  std::uint16_t port = 7;

  friend bool operator==(const Inner&, const Inner&) = default;
};

struct Outer {
  mirbft::NodeId self;
  std::vector<Inner> all;
  Inner one;
  std::optional<Inner> maybe;
  std::optional<bool> flag;
  std::int8_t small = -1;
  mirbft::Bytes key;
  mirbft::Digest digest;
  std::vector<std::int64_t> numbers;

  friend bool operator==(const Outer&, const Outer&) = default;
};

}  // namespace fuzz

BOOST_HANA_ADAPT_STRUCT(fuzz::Inner, id, host, port);
BOOST_HANA_ADAPT_STRUCT(fuzz::Outer, self, all, one, maybe, flag, small, key, digest, numbers);

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto read = mirbft::wire::parse_config<fuzz::Outer>(text, "source");
    const std::string printed = mirbft::wire::to_json(read);
    require(mirbft::wire::parse_config<fuzz::Outer>(printed, "printed") == read);
  } catch (const mirbft::ConfigError& error) {
    const std::string_view what = error.what();
    require(what.starts_with("source") && what.find('\n') == what.npos && what.size() < 1000);
  }
  return 0;
}
