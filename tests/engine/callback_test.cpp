#include <mirbft/engine/callback.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <doctest/doctest.h>

namespace mirbft::callback_test {

using namespace mirbft::engine;

namespace {

/// A callable of a chosen size that counts its calls and how many of it live.
template <std::size_t Size>
struct Sized {
  struct Counts {
    int calls = 0;
    int alive = 0;
  };
  explicit Sized(Counts& counts) : counts_(&counts) { ++counts_->alive; }
  Sized(Sized&& other) noexcept : counts_(other.counts_) { ++counts_->alive; }
  ~Sized() { --counts_->alive; }

  void operator()(const Replied&) { ++counts_->calls; }

 private:
  Counts* counts_;
  std::array<char, Size> padding_{};
};

template <std::size_t Size>
void live_and_die() {
  typename Sized<Size>::Counts counts;
  {
    Callback first{Sized<Size>(counts)};
    CHECK(counts.alive == 1);
    first(Replied{});
    Callback second(std::move(first));
    second(Replied{});
    CHECK(counts.alive == 1);
    Callback third{Sized<Size>(counts)};
    CHECK(counts.alive == 2);
    third = std::move(second);
    CHECK(counts.alive == 1);
    third(Replied{});
  }
  CHECK(counts.calls == 3);
  CHECK(counts.alive == 0);
}

}  // namespace

TEST_CASE("a callback lives once, whether it stands in place or not") {
  live_and_die<1>();
  live_and_die<40>();
  live_and_die<200>();
}

TEST_CASE("a callback gets the reply") {
  std::string result;
  Callback callback([&](const Replied& reply) { result = reply.result.text(); });
  callback(Replied{ClientId(1), ReqNo(2), Outcome::delivered, SeqNr(3), Bytes("done")});
  CHECK(result == "done");
}

}  // namespace mirbft::callback_test
