// Names are known to the compiler, and every compiler knows the same.
#include <doctest/doctest.h>

#include <variant>
#include <vector>

#include <mirbft/wire/type_name.hpp>

#include "sample_types.hpp"

using namespace mirbft;
using wire::type_name;

namespace {

struct Hidden {};
struct Outer {
  struct Inner {};
  template <class T>
  struct Of {
    struct Part {};
  };
};
template <int count>
struct Sized {
  static constexpr std::string_view wire_name = "Sized";
};
using External = std::variant<Hidden, Outer>;

}  // namespace

template <>
inline constexpr std::string_view mirbft::wire::given_name<External> = "External";

static_assert(type_name<RequestRef> == "RequestRef");
static_assert(type_name<Hidden> == "Hidden");
static_assert(type_name<Outer::Inner> == "Inner");
static_assert(type_name<sample::Answer<sample::Empty>> == "Answer_Empty");
static_assert(type_name<sample::Answer<sample::Answer<Outer::Inner>>> == "Answer_Answer_Inner");
static_assert(type_name<Outer::Of<Hidden>> == "Of_Hidden");
static_assert(type_name<Outer::Of<Hidden>::Part> == "Part");
static_assert(type_name<sample::Answer<std::uint64_t>> == "Answer_uint64");
static_assert(type_name<sample::Answer<bool>> == "Answer_bool");
static_assert(type_name<std::int8_t> == "int8");
static_assert(type_name<NodeId> == "Id_NodeTag");
static_assert(type_name<Sized<3>> == "Sized");
static_assert(type_name<sample::Renamed> == "Label");
static_assert(type_name<Shared<Hidden>> == "Hidden");
static_assert(type_name<sample::Answer<Shared<Hidden>>> == "Answer_Hidden");
static_assert(type_name<std::variant<std::monostate, Hidden, Shared<Outer>>> ==
              "OneOf_Nothing_Hidden_Outer");
static_assert(type_name<External> == "External");

TEST_CASE("type_name: a type of a function has its own name") {
  struct Local {};
  CHECK(type_name<Local> == "Local");
}
