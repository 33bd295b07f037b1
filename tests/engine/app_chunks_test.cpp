// The state of a simple App in chunks: only those are read that have changed.
#include <mirbft/engine/app_chunks.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/app/key_value_store.hpp>

namespace mirbft::app_chunks_test {

static_assert(IsSimpleApp<Counter> && !IsChunkedApp<Counter>);
static_assert(IsSimpleApp<KeyValueStore> && IsChunkedApp<KeyValueStore>);

namespace {

struct TextApp {
  std::vector<Bytes> apply(SeqNr, std::span<const Request>) { return {}; }
  Bytes snapshot() const { return Bytes(text); }
  void restore(ByteView state) { text.assign(state.begin(), state.end()); }

  std::string text;
};
static_assert(IsSimpleApp<TextApp> && !IsChunkedApp<TextApp>);

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a simple App's state is cut, and what has changed is found out") {
  TextApp app;
  engine::AppChunks<TextApp> chunks;
  CHECK(chunks.freeze(app).count == 0);
  app.text = std::string(2 * good_chunk_size + 3, 'a');
  FrozenChunks frozen = chunks.freeze(app);
  CHECK(frozen.count == 3);
  CHECK(frozen.changed == Numbers{0, 1, 2});
  app.text[good_chunk_size] = 'b';
  app.text += 'c';
  frozen = chunks.freeze(app);
  CHECK(frozen.changed == Numbers{1, 2});
  app.text[good_chunk_size] = 'd';  // what is read is the frozen state
  CHECK(chunks.read(app, 1).text() == "b" + std::string(good_chunk_size - 1, 'a'));
  CHECK(chunks.read(app, 2).text() == "aaac");
  app.text.resize(good_chunk_size);
  frozen = chunks.freeze(app);
  CHECK(frozen.count == 1);
  CHECK(frozen.changed.empty());
}

TEST_CASE("a simple App is restored from its chunks, which then have not changed") {
  TextApp app;
  engine::AppChunks<TextApp> chunks;
  const std::string first(good_chunk_size, 'x');
  chunks.restore(app, {Bytes(first), Bytes("rest")});
  CHECK(app.text == first + "rest");
  CHECK(chunks.freeze(app).changed.empty());
  chunks.restore(app, {});
  CHECK(app.text.empty());
}

}  // namespace mirbft::app_chunks_test
