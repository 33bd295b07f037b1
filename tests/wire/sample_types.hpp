// One struct for each thing that the codec can carry; the tests, the conformance check and the
// fuzz target share them.
#ifndef MIRBFT_TESTS_WIRE_SAMPLE_TYPES_HPP
#define MIRBFT_TESTS_WIRE_SAMPLE_TYPES_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/shared.hpp>
#include <mirbft/types/signature_check.hpp>

namespace sample {

using mirbft::Batch;
using mirbft::Bytes;
using mirbft::Digest;
using mirbft::Shared;

enum class Direction : std::int32_t { back = -1, none, forward };

struct Numbers {
  bool flag = false;
  std::uint8_t tiny = 0;
  std::uint16_t small = 0;
  std::uint32_t medium = 0;
  std::uint64_t large = 0;
  std::int8_t signed_tiny = 0;
  std::int16_t signed_small = 0;
  std::int32_t signed_medium = 0;
  std::int64_t signed_large = 0;
  mirbft::SignatureCheck check{};
  Direction direction{};
  mirbft::SeqNr sn{};
  std::chrono::nanoseconds time{0};
  std::chrono::duration<std::int32_t> seconds{0};

  friend bool operator==(const Numbers&, const Numbers&) = default;
};

struct Blobs {
  Bytes bytes{};
  std::string text{};
  Digest digest{};
  std::array<std::uint8_t, 4> nonce{};

  friend bool operator==(const Blobs&, const Blobs&) = default;
};

struct Empty {
  friend bool operator==(const Empty&, const Empty&) = default;
};

struct Lists {
  std::vector<std::uint64_t> numbers{};
  std::vector<std::int32_t> offsets{};
  std::vector<bool> flags{};
  std::vector<mirbft::NodeId> nodes{};
  std::vector<mirbft::SignatureCheck> checks{};
  std::vector<Bytes> parts{};
  std::vector<std::string> words{};
  std::vector<Digest> digests{};
  std::vector<Blobs> blobs{};
  std::vector<Empty> empties{};

  friend bool operator==(const Lists&, const Lists&) = default;
};

struct Optionals {
  std::optional<std::uint32_t> number{};
  std::optional<bool> flag{};
  std::optional<Bytes> bytes{};
  std::optional<std::string> text{};
  std::optional<Digest> digest{};
  std::optional<Blobs> blobs{};
  std::optional<Empty> empty{};

  friend bool operator==(const Optionals&, const Optionals&) = default;
};

/// Declares its number among the alternatives of a variant, as events do.
struct Ping {
  static constexpr std::uint32_t number = 1000;
  std::uint64_t payload = 0;

  friend bool operator==(const Ping&, const Ping&) = default;
};

using Choice = std::variant<Numbers, Blobs, Ping, Shared<Lists>>;
using MaybeChoice = std::variant<std::monostate, Blobs, Empty>;

struct Tree {
  std::uint32_t label = 0;
  std::vector<Tree> children{};

  friend bool operator==(const Tree&, const Tree&) = default;
};

struct Nested {
  Numbers numbers{};
  Shared<Blobs> blobs{};
  Batch batch{};
  Shared<std::vector<std::uint32_t>> shared_numbers{};
  std::optional<Shared<Blobs>> maybe_shared{};
  std::vector<Shared<Empty>> shared_empties{};
  MaybeChoice maybe_choice{};
  std::optional<Choice> choice{};
  std::vector<Choice> choices{};
  Tree tree{};

  friend bool operator==(const Nested&, const Nested&) = default;
};

/// What its members are initialised with is not what proto3 takes for absent.
struct Configured {
  std::uint32_t batch_size = 1000;
  std::string name = "unnamed";
  std::vector<std::uint32_t> sizes = {1, 2, 3};
  std::optional<std::uint32_t> limit = 7;

  friend bool operator==(const Configured&, const Configured&) = default;
};

struct Wrapper {
  Shared<Configured> shared{};
  Configured plain{};
  std::vector<Configured> list{};
  std::optional<Configured> maybe{};

  friend bool operator==(const Wrapper&, const Wrapper&) = default;
};

template <class Origin>
struct Answer {
  Digest digest{};
  Origin origin{};

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// The schema shows the name that a type gives itself.
struct Renamed {
  static constexpr std::string_view wire_name = "Label";
  std::string text{};

  friend bool operator==(const Renamed&, const Renamed&) = default;
};

struct Templates {
  Answer<Empty> plain{};
  Answer<Answer<Ping>> nested{};
  Renamed renamed{};

  friend bool operator==(const Templates&, const Templates&) = default;
};

}  // namespace sample

BOOST_HANA_ADAPT_STRUCT(sample::Numbers, flag, tiny, small, medium, large, signed_tiny,
                        signed_small, signed_medium, signed_large, check, direction, sn, time,
                        seconds);
BOOST_HANA_ADAPT_STRUCT(sample::Blobs, bytes, text, digest, nonce);
BOOST_HANA_ADAPT_STRUCT(sample::Empty);
BOOST_HANA_ADAPT_STRUCT(sample::Lists, numbers, offsets, flags, nodes, checks, parts, words,
                        digests, blobs, empties);
BOOST_HANA_ADAPT_STRUCT(sample::Optionals, number, flag, bytes, text, digest, blobs, empty);
BOOST_HANA_ADAPT_STRUCT(sample::Ping, payload);
BOOST_HANA_ADAPT_STRUCT(sample::Tree, label, children);
BOOST_HANA_ADAPT_STRUCT(sample::Nested, numbers, blobs, batch, shared_numbers, maybe_shared,
                        shared_empties, maybe_choice, choice, choices, tree);
BOOST_HANA_ADAPT_STRUCT(sample::Configured, batch_size, name, sizes, limit);
BOOST_HANA_ADAPT_STRUCT(sample::Wrapper, shared, plain, list, maybe);
MIRBFT_ADAPT_TEMPLATE(sample::Answer, digest, origin);
BOOST_HANA_ADAPT_STRUCT(sample::Renamed, text);
BOOST_HANA_ADAPT_STRUCT(sample::Templates, plain, nested, renamed);

#endif
