// The database's chunks: a restored one is the same, goes on the same, and has the same chunks.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <mirbft/types/errors.hpp>

#include "database.hpp"

namespace redis::checkpoint_test {

using mirbft::Bytes;

namespace {

/// What a replica keeps of the chunks of another's checkpoints.
struct Kept {
  std::vector<Bytes> chunks;

  /// Returns how many chunks have changed.
  std::size_t take(Database& database) {
    const mirbft::FrozenChunks frozen = database.freeze();
    chunks.resize(frozen.count);
    for (const std::uint64_t number : frozen.changed) chunks[number] = database.frozen(number);
    return frozen.changed.size();
  }
};

/// Either it is restored, or it is told that it cannot be.
bool accepts(const Bytes& chunk) {
  try {
    Database().restore(std::vector<Bytes>{chunk});
    return true;
  } catch (const mirbft::ModuleFailure&) {
    return false;
  }
}

/// The two databases hold the same lists.
bool same_list(Database& one, Database& other, const char* key) {
  const Entry* const left = one.keys().find(key);
  const Entry* const right = other.keys().find(key);
  return left && right && std::get<List>(left->value) == std::get<List>(right->value);
}

std::string random_line(std::mt19937& random) {
  const auto number = [&random](unsigned end) { return std::to_string(random() % end); };
  const std::string key = number(40);
  switch (random() % 13) {
    case 0: return "SET s" + key + " " + number(1000);
    case 1: return "APPEND s" + key + " " + std::string(random() % 3000, 'x');
    case 2: return "RPUSH l" + key + " a b " + number(100);
    case 3: return "LPOP l" + key;
    case 4: return "SADD e" + key + " " + number(20) + " " + number(20);
    case 5: return "SPOP e" + key;
    case 6: return "HSET h" + key + " " + number(9) + " " + number(9);
    case 7: return "HDEL h" + key + " " + number(9);
    case 8: return "ZADD z" + key + " " + number(9) + ".5 " + number(9);
    case 9: return "ZPOPMIN z" + key;
    case 10: return "EXPIRE s" + key + " " + number(50);
    case 11: return "DEL s" + key + " l" + key;
    default: return "SREM e" + key + " " + number(20);
  }
}

std::string all_of(Asked& ask) {
  std::string text;
  for (std::uint32_t number = 0; number < 3; ++number)
    for (const auto& [key, entry] : ask.database.keys(number).entries()) {
      detail::Items items;
      std::visit(items, entry.value);
      text += key.text + '=' + std::to_string(entry.expires.value_or(-1));
      for (const Bytes& item : items.items) text += ',' + std::string(item.text());
      text += '\n';
    }
  return text;
}

}  // namespace

TEST_CASE("checkpoint: a replica restored from any of them goes on as the others") {
  std::mt19937 random(7);
  Asked original;
  Kept kept;
  for (int round = 0; round < 30; ++round) {
    for (int step = 0; step < 200; ++step) {
      original.time += random() % 300;
      original(random_line(random), 2, static_cast<std::uint32_t>(random() % 3));
    }
    kept.take(original.database);
    Asked restored;
    restored.database.restore(kept.chunks);
    restored.time = original.time;
    CHECK(all_of(restored) == all_of(original));
    CHECK(restored.database.now() == original.database.now());

    for (int step = 0; step < 100; ++step) {
      const std::string line = random_line(random);
      CHECK(restored(line) == original(line));
    }
    Kept both = kept;
    const std::size_t changed = both.take(restored.database);
    CHECK(kept.take(original.database) == changed);
    CHECK(both.chunks == kept.chunks);
  }
}

TEST_CASE("checkpoint: only what has changed is written again, and no chunk is too large") {
  Asked ask;
  for (int key = 0; key < 2000; ++key)
    ask("SET k" + std::to_string(key) + " " + std::string(500, 'x'));
  Kept kept;
  const std::size_t all = kept.take(ask.database);
  CHECK(all > 15);
  ask("GET k5");
  CHECK(kept.take(ask.database) == 0);
  ask("SET k5 y");
  CHECK(kept.take(ask.database) <= 2);

  for (int times = 0; times < 100; ++times) ask("APPEND large " + std::string(40'000, 'y'));
  kept.take(ask.database);
  for (const Bytes& chunk : kept.chunks) CHECK(chunk.size() <= mirbft::good_chunk_size);
  Asked restored;
  restored.database.restore(kept.chunks);
  CHECK(restored("STRLEN large") == ":4000000|");
  restored("SET large short");
  kept.take(restored.database);
  ask.database.restore(kept.chunks);
  CHECK(ask("GET large") == "$5|short|");
}

TEST_CASE("checkpoint: a key's name never leads into another's") {
  Asked ask;
  Order order{1, {}};
  for (const std::string& key : {std::string(), std::string(1, '\0'), std::string(4, '\0'),
                                 std::string(8, '\0'), std::string("\0\0\0\1", 4)})
    order.steps.push_back({0, 2, {Bytes("SET"), Bytes(std::string_view(key)),
                                  Bytes(std::string_view(std::string(40'000, 'x')))}});
  ask.apply(order);
  Kept kept;
  kept.take(ask.database);
  Asked restored;
  restored.database.restore(kept.chunks);
  CHECK(restored("DBSIZE") == ":5|");
  CHECK(all_of(restored) == all_of(ask));
}

TEST_CASE("checkpoint: what is none is refused, and nothing has changed") {
  Asked ask;
  ask("SET a x");
  ask("HSET h f v");
  Kept kept;
  kept.take(ask.database);
  REQUIRE(kept.chunks.size() == 1);
  Asked other;
  other("SET b y");
  CHECK_THROWS_AS(other.database.restore(std::vector<Bytes>()), mirbft::ModuleFailure);
  const Bytes& chunk = kept.chunks[0];
  std::size_t refused = 0;
  for (std::size_t place = 0; place < chunk.size(); ++place) {
    const Bytes spoiled = Bytes::filled(chunk.size(), [&](std::uint8_t* out) {
      std::copy(chunk.begin(), chunk.end(), out);
      out[place] ^= 1;
    });
    refused += !accepts(spoiled);
    // Between two entries a chunk may end: that all of it is there, its digest says.
    refused += !accepts(chunk.slice(0, place));
  }
  CHECK(refused > chunk.size());
  CHECK(other("GET b") == "$1|y|");
}

TEST_CASE("checkpoint: what is longer than a part is kept in parts, and restored whole") {
  Asked ask;
  const std::string half(Checkpoint::part_size / 2, 'x');
  for (char letter = 'a'; letter < 'h'; ++letter)
    ask("RPUSH long " + std::string(1, letter) + half + " " + std::string(1, letter));
  ask("EXPIRE long 100");
  ask("SET short x");
  Kept kept;
  kept.take(ask.database);
  Asked other;
  other.database.restore(kept.chunks);
  CHECK(same_list(ask.database, other.database, "long"));
  CHECK(other("TTL long") == ":100|");
  CHECK(other("GET short") == "$1|x|");
  // What has become shorter leaves no part behind.
  ask("LPOP long 12");
  kept.take(ask.database);
  other.database.restore(kept.chunks);
  CHECK(same_list(ask.database, other.database, "long"));
}

}  // namespace redis::checkpoint_test
