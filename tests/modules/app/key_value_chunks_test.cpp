// The key-value store's chunks: bounded, a function of the changes, and frozen while changes go on.
#include <mirbft/modules/app/key_value_chunks.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/app/key_value_store.hpp>

namespace mirbft::key_value_chunks_test {

static_assert(IsChunkedApp<KeyValueStore>);

namespace {

std::map<std::string, std::string> entries(const KeyValueChunks& store) {
  std::map<std::string, std::string> all;
  store.for_each([&](std::string_view key, std::string_view value) {
    CHECK(all.emplace(key, value).second);
  });
  CHECK(all.size() == store.size());
  return all;
}

/// Keeps the chunks as a checkpoint does: replaces those that have changed.
struct Copy {
  std::vector<Bytes> chunks;

  void update(KeyValueChunks& store) { finish(store, store.freeze()); }
  void finish(KeyValueChunks& store, const FrozenChunks& frozen) {
    chunks.resize(frozen.count);
    for (const std::uint64_t index : frozen.changed) chunks.at(index) = store.frozen(index);
  }
  KeyValueChunks restored() const {
    KeyValueChunks store;
    store.restore(chunks);
    return store;
  }
};

std::string key(std::uint64_t number) { return "key" + std::to_string(number); }

/// Sets so many keys with values of this size.
void fill(KeyValueChunks& store, std::uint64_t keys, std::size_t size, char with = 'v') {
  for (std::uint64_t i = 0; i < keys; ++i) store.set(key(i), std::string(size, with));
}

}  // namespace

TEST_CASE("key-value chunks: a new store is one chunk, which has changed") {
  KeyValueChunks store;
  const FrozenChunks frozen = store.freeze();
  CHECK(frozen.count == 1);
  CHECK(frozen.changed == std::vector<std::uint64_t>{0});
  CHECK(store.frozen(0).size() == 4);
  CHECK(store.freeze().changed.empty());
}

TEST_CASE("key-value chunks: only what was changed is listed") {
  KeyValueChunks store;
  fill(store, 1000, 1000);
  Copy copy;
  copy.update(store);
  CHECK(copy.chunks.size() > 16);
  CHECK(copy.chunks.size() < 40);
  (void)store.find(key(7));
  CHECK_FALSE(store.erase("no such key"));
  CHECK(store.freeze().changed.empty());
  store.set(key(500), "short");
  CHECK(store.freeze().changed.size() == 1);
}

TEST_CASE("key-value chunks: chunks stay small, whatever the keys and values") {
  KeyValueChunks store;
  SUBCASE("one after the other") { fill(store, 5000, 100); }
  SUBCASE("values larger than a chunk, between small ones") {
    for (std::uint64_t i = 0; i < 300; ++i)
      store.set(key(i * 7919 % 300), std::string(i % 10 == 0 ? 100'000 : 500, 'v'));
  }
  SUBCASE("a value that grows within a full chunk") {
    fill(store, 120, 500);
    store.set(key(60), std::string(120'000, 'v'));
  }
  Copy copy;
  copy.update(store);
  for (const Bytes& chunk : copy.chunks)
    CHECK((chunk.size() <= KeyValueChunks::max_size || chunk.size() < 120'100));
  const auto all = entries(store);
  CHECK(entries(copy.restored()) == all);
  std::size_t large = 0;
  for (const auto& [name, value] : all) large += value.size() >= KeyValueChunks::max_size;
  std::size_t large_chunks = 0;
  for (const Bytes& chunk : copy.chunks) large_chunks += chunk.size() > KeyValueChunks::max_size;
  CHECK(large_chunks == large);
}

TEST_CASE("key-value chunks: where keys go, chunks go") {
  KeyValueChunks store;
  fill(store, 5000, 200);
  const std::uint64_t before = store.freeze().count;
  CHECK(before > 16);
  for (std::uint64_t i = 0; i < 5000; ++i)
    if (i % 1000 != 0) store.erase(key(i));
  CHECK(store.freeze().count <= 3);
}

TEST_CASE("key-value chunks: a frozen chunk is read as it was") {
  KeyValueChunks store;
  fill(store, 100, 20);
  const auto then = entries(store);
  const FrozenChunks frozen = store.freeze();
  store.set(key(0), "changed");
  store.set(key(0), "changed twice");
  store.set("a first key", "new");
  store.set("z last key", "new");
  store.erase(key(50));
  store.erase(key(51));
  store.set(key(51), "back");
  SUBCASE("changed here and there") {}
  SUBCASE("cut in many") { fill(store, 1000, 1000, 'w'); }
  SUBCASE("emptied") {
    for (std::uint64_t i = 0; i < 100; ++i) store.erase(key(i));
  }
  const auto now = entries(store);
  Copy copy;
  copy.finish(store, frozen);
  CHECK(entries(copy.restored()) == then);
  copy.update(store);
  CHECK(entries(copy.restored()) == now);
}

TEST_CASE("key-value chunks: what is emptied from either end leaves one chunk") {
  KeyValueChunks store;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const std::uint64_t first = 10'000 * (round + 1);
    for (std::uint64_t i = 0; i < 1000; ++i) store.set(key(first + i), std::string(1000, 'v'));
    CHECK(store.freeze().count > 10);
    for (std::uint64_t i = 0; i < 1000; ++i)
      store.erase(key(first + (round % 2 == 0 ? 999 - i : i)));
    CHECK(store.size() == 0);
    CHECK(store.freeze().count == 1);
  }
}

TEST_CASE("key-value chunks: chunks that are none are refused, and change nothing") {
  const auto text = [](const std::string& one) {
    std::string made;
    for (int place = 0; place < 4; ++place)
      made += static_cast<char>(one.size() >> (8 * place) & 255);
    return made + one;
  };
  const auto chunk = [&](const std::vector<std::string>& texts) {
    std::string made;
    for (const std::string& one : texts) made += text(one);
    return Bytes(made);
  };
  using Chunks = std::vector<Bytes>;
  KeyValueChunks store;
  store.set("a", "1");
  const auto before = entries(store);
  for (const Chunks& wrong : {
           Chunks{},
           Chunks{Bytes()},
           Chunks{Bytes("\x09")},
           Chunks{chunk({"b"})},                                  // keys below b have no place
           Chunks{chunk({"", "a"})},                              // a key without a value
           Chunks{chunk({"", "b", "1", "a", "2"})},               // out of order
           Chunks{chunk({"", "a", "1", "a", "2"})},               // twice
           Chunks{chunk({"", "a", "1"}), chunk({""})},            // a range twice
           Chunks{chunk({"", "a", "1", "c", "2"}), chunk({"b"})},  // beyond its range
           Chunks{chunk({"", "a", "1"}), chunk({"b", "a", "2"})},  // before its range
           Chunks{Bytes(std::string("\0\0\0\0\xff\xff\xff\xff", 8))},
       })
    CHECK_THROWS_WITH_AS(store.restore(wrong), "key-value store: the chunks cannot be read",
                         ModuleFailure);
  CHECK(entries(store) == before);
  store.restore(Chunks{chunk({"b", "c", "2"}), chunk({"", "a", "1"})});
  CHECK(entries(store) == std::map<std::string, std::string>{{"a", "1"}, {"c", "2"}});
}

TEST_CASE("key-value chunks: under any changes, what is kept of them restores the store") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    const std::uint64_t keys = 1 + below(3000);
    const std::size_t longest = 1 + below(2000);
    KeyValueChunks store;
    KeyValueChunks twin;  // restored from chunks now and then
    std::map<std::string, std::string> model;
    Copy copy;
    Copy of_twin;
    std::uint64_t deletions = 2;
    const auto change = [&] {
      const std::string name = key(below(keys));
      if (below(10) < deletions) {
        const bool was_there = model.erase(name) != 0;
        CHECK(store.erase(name) == was_there);
        CHECK(twin.erase(name) == was_there);
      } else {
        const std::string value(below(longest), static_cast<char>('a' + below(26)));
        for (KeyValueChunks* one : {&store, &twin}) one->set(name, value);
        model[name] = value;
      }
    };
    for (int round = 0; round < 12; ++round) {
      deletions = below(3) == 0 ? 9 : 2;
      for (std::uint64_t i = below(2000); i > 0; --i) change();
      const auto then = model;
      const std::uint64_t meanwhile = below(2) == 0 ? 0 : below(200);
      of_twin.update(twin);
      const FrozenChunks frozen = store.freeze();
      copy.chunks.resize(frozen.count);
      for (const std::uint64_t index : frozen.changed) {
        for (std::uint64_t i = meanwhile; i > 0; --i) change();
        copy.chunks.at(index) = store.frozen(index);
      }
      CHECK(entries(copy.restored()) == then);
      CHECK(entries(store) == model);
      CHECK(copy.chunks == of_twin.chunks);
      if (meanwhile == 0) twin = copy.restored();
    }
  }
}

}  // namespace mirbft::key_value_chunks_test
