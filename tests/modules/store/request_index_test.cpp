// A RequestIndex does what a std::map by reference does.
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/store/request_index.hpp>

namespace mirbft::request_index_test {
namespace {

using Model = std::map<RequestRef, int>;

/// Of few clients and payloads, and of numbers that lie together and far apart.
RequestRef draw(std::mt19937& random) {
  RequestRef reference{ClientId(random() % 3), ReqNo(random() % 200), {}};
  if (random() % 10 == 0) reference.req_no = ReqNo(random() * std::uint64_t{1} << 30);
  reference.digest.bytes[0] = static_cast<std::uint8_t>(random() % 2);
  return reference;
}

Model all(RequestIndex<int>& index) {
  Model found;
  index.for_each([&](const RequestRef& reference, int entry) {
    CHECK((found.empty() || found.rbegin()->first < reference));
    found.emplace(reference, entry);
  });
  return found;
}

}  // namespace

TEST_CASE("an index has what a map has") {
  std::mt19937 random(1);
  RequestIndex<int> index;
  Model model;
  for (int step = 0; step < 20'000; ++step) {
    const RequestRef reference = draw(random);
    if (random() % 2 == 0) {
      index[reference] = step;
      model[reference] = step;
    } else {
      const auto known = model.find(reference);
      index.erase(reference, [&](int last) {
        REQUIRE(known != model.end());
        CHECK(last == known->second);
        model.erase(known);
      });
      CHECK(model.count(reference) == 0);
    }
    const RequestRef other = draw(random);
    const int* found = index.find(other);
    REQUIRE((found != nullptr) == (model.count(other) == 1));
    if (found) CHECK(*found == model.at(other));
    REQUIRE(index.size() == model.size());
    if (step % 1000 == 0) CHECK(all(index) == model);
  }
}

TEST_CASE("of what is below a number, the visitor says what goes") {
  std::mt19937 random(2);
  RequestIndex<int> index;
  Model model;
  for (int entry = 0; entry < 500; ++entry) {
    const RequestRef reference = draw(random);
    index[reference] = entry;
    model[reference] = entry;
  }
  const auto is_odd = [](int entry) { return entry % 2 == 1; };
  index.erase_below(ClientId(1), ReqNo(100), is_odd);
  index.erase_below(ClientId(7), ReqNo(100), is_odd);
  std::erase_if(model, [&](const auto& known) {
    return known.first.client == ClientId(1) && known.first.req_no < ReqNo(100) &&
           is_odd(known.second);
  });
  CHECK(all(index) == model);
  for (std::uint64_t client = 0; client < 3; ++client)
    index.erase_below(ClientId(client), ReqNo(~std::uint64_t{0}), [](int) { return true; });
  CHECK(index.size() == 0);
  CHECK(all(index).empty());
}

}  // namespace mirbft::request_index_test
