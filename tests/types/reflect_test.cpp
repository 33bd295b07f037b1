#include <doctest/doctest.h>

#include <string>

#include <boost/hana.hpp>

#include <mirbft/types/reflect.hpp>

namespace hana = boost::hana;

namespace {

template <class Value>
struct Pair {
  int count = 0;
  Value value{};
};
template <class Value>
struct Single {
  Value value{};
};

}  // namespace

MIRBFT_ADAPT_TEMPLATE(Pair, count, value);
MIRBFT_ADAPT_TEMPLATE(Single, value);

static_assert(hana::Struct<Pair<int>>::value && hana::Struct<Pair<std::string>>::value);
static_assert(hana::length(hana::accessors<Pair<int>>()) == hana::size_c<2>);
static_assert(hana::length(hana::accessors<Single<int>>()) == hana::size_c<1>);

TEST_CASE("a template's members are reflected by name, in order, and writable") {
  Pair<std::string> pair{3, "three"};
  std::string seen;
  hana::for_each(hana::accessors<Pair<std::string>>(), [&](auto member) {
    seen += std::string(hana::first(member).c_str()) + " ";
  });
  CHECK(seen == "count value ");
  const auto value = hana::second(hana::at_c<1>(hana::accessors<Pair<std::string>>()));
  CHECK(value(pair) == "three");
  value(pair) = "four";
  CHECK(pair.value == "four");
}
