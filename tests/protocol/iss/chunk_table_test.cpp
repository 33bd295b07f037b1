// Versions of chunks: what a chunk was at the end of an epoch, and until when the log knows it.
#include <mirbft/protocol/iss/chunk_table.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "../../support/iss_values.hpp"

namespace mirbft::iss::chunk_table_test {
namespace {

ChunkEntry version(std::uint64_t epoch, std::uint64_t index, const std::string& text) {
  const Bytes data(text);
  return ChunkTable::changed(Epoch(epoch), index, testing::digest_of_bytes(data.view()), data);
}
std::string text(const ChunkTable& table, std::uint64_t epoch, std::uint64_t index) {
  const ChunkEntry* chunk = table.find(Epoch(epoch), index);
  return chunk ? std::string(chunk->data.text()) : "none";
}

}  // namespace

TEST_CASE("at the end of an epoch a chunk is what it last became by then") {
  ChunkTable table;
  CHECK(table.put(version(7, 1, "seven")));
  CHECK(table.put(version(3, 1, "three")));  // in any order
  CHECK(table.put(version(5, 2, "other")));
  CHECK(text(table, 2, 1) == "none");
  CHECK(text(table, 3, 1) == "three");
  CHECK(text(table, 6, 1) == "three");
  CHECK(text(table, 7, 1) == "seven");
  CHECK(text(table, 99, 1) == "seven");
  CHECK(text(table, 99, 0) == "none");
}

TEST_CASE("a version that is here is not taken again, unless it is kept for longer") {
  ChunkTable table;
  ChunkEntry entry = version(3, 1, "three");
  CHECK(table.put(entry));
  CHECK_FALSE(table.put(entry));
  ++entry.kept;
  CHECK(table.put(entry));
  CHECK_FALSE(table.put(version(3, 1, "three")));
  CHECK(table.find(Epoch(3), 1)->kept == entry.kept);
  CHECK(table.size() == 1);
}

TEST_CASE("versions that no kept checkpoint needs are forgotten, and chunks that are gone") {
  ChunkTable table;
  for (const std::uint64_t epoch : {1u, 2u, 4u})
    for (std::uint64_t index = 0; index < 3; ++index)
      table.put(version(epoch, index, std::to_string(epoch)));
  table.forget_before(Epoch(3), 2);
  CHECK(table.size() == 5);
  CHECK(text(table, 1, 0) == "none");
  CHECK(text(table, 3, 0) == "2");
  CHECK(text(table, 4, 0) == "4");
  CHECK(text(table, 3, 2) == "none");  // the third was not there in epoch 3, and came back
  CHECK(text(table, 4, 2) == "4");
  // What comes late is forgotten the next time.
  table.put(version(1, 0, "late"));
  CHECK(text(table, 3, 0) == "2");
  table.forget_before(Epoch(3), 2);
  CHECK(table.size() == 5);
}

TEST_CASE("every chunk of a checkpoint is in the log for as long as the checkpoint") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    ChunkTable table;
    std::vector<ChunkEntry> log;
    std::map<std::uint64_t, std::vector<std::string>> states;
    std::vector<std::string> chunks;
    for (std::uint64_t epoch = 0; epoch < 600; ++epoch) {
      if (random() % 20 == 0) chunks.resize(random() % 30);
      for (std::uint64_t index = 0; index < chunks.size(); ++index) {
        if (!chunks[index].empty() && random() % 40 != 0) continue;
        chunks[index] = std::to_string(random());
        log.push_back(version(epoch, index, chunks[index]));
        table.put(log.back());
      }
      for (ChunkEntry& entry : table.renew(Epoch(epoch), chunks.size())) log.push_back(entry);
      states[epoch] = chunks;
      // Two checkpoints are kept, and the log as far back as the older one.
      const std::uint64_t oldest = epoch == 0 ? 0 : epoch - 1;
      table.forget_before(Epoch(oldest), states[oldest].size());
      std::erase_if(log, [&](const ChunkEntry& entry) { return entry.kept < Epoch(oldest); });
      ChunkTable recovered;
      for (const ChunkEntry& entry : log) recovered.put(entry);
      bool whole = true;
      for (std::uint64_t of = oldest; of <= epoch; ++of)
        for (std::uint64_t index = 0; index < states[of].size(); ++index)
          whole = whole && text(table, of, index) == states[of][index] &&
                  text(recovered, of, index) == states[of][index];
      REQUIRE(whole);
      CHECK(table.size() <= 2 * 30);
      if (random() % 50 == 0) table = std::move(recovered);
    }
  }
}

}  // namespace mirbft::iss::chunk_table_test
