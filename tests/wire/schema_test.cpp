// Schemas and the text of .proto files.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include <google/protobuf/descriptor.h>

#include <mirbft/wire/descriptor.hpp>
#include <mirbft/wire/proto_text.hpp>
#include <mirbft/wire/schema.hpp>

#include "sample_types.hpp"

using namespace mirbft;

namespace other {

struct Empty {};
struct Mixed {
  sample::Empty one;
  Empty two;
};

}  // namespace other

BOOST_HANA_ADAPT_STRUCT(other::Empty);
BOOST_HANA_ADAPT_STRUCT(other::Mixed, one, two);

namespace {

const std::string header =
    "// Printed from the C++ types; a test fails where the two drift apart. A field's number is\n"
    "// the place of its member: members are appended, and never moved.\n"
    "syntax = \"proto3\";\n\n";

}  // namespace

TEST_CASE("schema: a struct, what it holds, and a template's instance") {
  CHECK(wire::proto_text(wire::schema<sample::Templates>("a.proto")) == header +
        R"(package mirbft.v1;

message Templates {
  Answer_Empty plain = 1;
  Answer_Answer_Ping nested = 2;
  Label renamed = 3;
}

message Answer_Empty {
  bytes digest = 1;  // exactly 32 bytes
  Empty origin = 2;
}

message Empty {}

message Answer_Answer_Ping {
  bytes digest = 1;  // exactly 32 bytes
  Answer_Ping origin = 2;
}

message Answer_Ping {
  bytes digest = 1;  // exactly 32 bytes
  Ping origin = 2;
}

message Ping {
  uint64 payload = 1;
}

message Label {
  string text = 1;
}
)");
}

TEST_CASE("schema: variants, and what an import has already") {
  const wire::Schema parts = wire::schema<sample::Empty, sample::Blobs>("parts.proto", {}, "p");
  CHECK(wire::proto_text(wire::schema<sample::MaybeChoice>("b.proto", {parts}, "q")) == header +
        R"(package q;

import "parts.proto";

message OneOf_Nothing_Blobs_Empty {
  oneof which {
    p.Blobs blobs = 2;
    p.Empty empty = 3;
  }
}
)");
}

TEST_CASE("schema: types that contain themselves, shared or given twice are there once") {
  const wire::Schema schema =
      wire::schema<sample::Tree, sample::Tree, Shared<sample::Tree>>("t.proto");
  REQUIRE(schema.messages.size() == 1);
  CHECK(schema.find("Tree") == &schema.messages[0]);
  CHECK(schema.find("Bush") == nullptr);
  CHECK(schema.messages[0].fields[1].type == "mirbft.v1.Tree");
  CHECK(schema.messages[0].fields[1].label == wire::Label::repeated);
}

TEST_CASE("schema: two types of one name are refused, with the name and the mend") {
  CHECK_THROWS_WITH_AS(wire::schema<other::Mixed>("m.proto"),
                       "message mirbft.v1.Empty: two C++ types have this name; give one of them "
                       "another by a member `static constexpr std::string_view wire_name`",
                       std::logic_error);
}

TEST_CASE("schema: names of alternatives are in small letters") {
  CHECK(wire::detail::snake_case("HashResult_BatchHash") == "hash_result_batch_hash");
  CHECK(wire::detail::snake_case("Ping") == "ping");
  CHECK(wire::detail::snake_case("PBFTVote2Part") == "pbftvote2_part");
}

TEST_CASE("descriptor: protobuf takes it, imports and all") {
  const wire::Schema parts = wire::schema<sample::Empty, sample::Blobs>("parts.proto");
  const wire::Schema schema = wire::schema<sample::Nested, sample::Optionals>("n.proto", {parts});
  google::protobuf::DescriptorPool pool;
  REQUIRE(pool.BuildFile(wire::descriptor(parts)) != nullptr);
  REQUIRE(pool.BuildFile(wire::descriptor(schema)) != nullptr);
  const auto* nested = pool.FindMessageTypeByName("mirbft.v1.Nested");
  REQUIRE(nested != nullptr);
  CHECK(nested->FindFieldByName("blobs")->message_type()->file()->name() == "parts.proto");
  const auto* optionals = pool.FindMessageTypeByName("mirbft.v1.Optionals");
  CHECK(optionals->FindFieldByName("number")->has_presence());
  CHECK(optionals->real_oneof_decl_count() == 0);
}
