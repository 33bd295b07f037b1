#include <mirbft/protocol/iss/state_chunks.hpp>

#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include <mirbft/protocol/iss/leader_policies.hpp>

namespace mirbft::iss::state_chunks_test {

TEST_CASE("all chunks but the last are full, and together they are the whole") {
  for (const std::uint64_t length :
       {std::uint64_t{0}, std::uint64_t{1}, chunk_size - 1, chunk_size, chunk_size + 1,
        3 * chunk_size}) {
    CAPTURE(length);
    const Bytes data = Bytes::filled(length, [&](std::uint8_t* at) {
      for (std::uint64_t i = 0; i < length; ++i) at[i] = static_cast<std::uint8_t>(i >> 9);
    });
    std::vector<std::uint8_t> whole;
    for (std::uint64_t index = 0; index < chunks_of(length); ++index) {
      const Bytes chunk = chunk_of(data, index);
      CHECK(chunk.size() == chunk_length(length, index));
      CHECK_FALSE(chunk.empty());
      whole.insert(whole.end(), chunk.begin(), chunk.end());
    }
    CHECK(Bytes(ByteView(whole)) == data);
  }
}

TEST_CASE("a monstrous length does not overflow") {
  CHECK(chunks_of(~0ull) == (1ull << 46));
}

TEST_CASE("what is hashed differs wherever the states differ") {
  const Bytes name("cluster");
  const ChunkList list{300, {Digest{}}};
  ChunkList longer = list;
  ++longer.length;
  CHECK(clients_content(name.view(), list) != clients_content(name.view(), longer));
  MerkleTree tree;
  tree.resize(1);
  tree.set(0, {});
  CHECK(app_content(name.view(), {}) != app_content(name.view(), tree));
  Digest other;
  other.bytes[0] = 1;
  const Bytes inner = inner_content(name.view(), {1, 0, {}, other});
  CHECK(inner != inner_content(name.view(), {1, 0, other, {}}));
  CHECK(inner != chunk_content(name.view(), inner)[0]);
  CHECK(policy_content(name.view(), Bytes("ab"), Bytes("c")) !=
        policy_content(name.view(), Bytes("a"), Bytes("bc")));
  CHECK(chunk_content(name.view(), Bytes("a"))[0] != chunk_content(name.view(), Bytes("ab"))[0]);
}

TEST_CASE("windows are read back as they were, many of them too") {
  std::vector<ClientWindow> windows;
  for (std::uint64_t client = 0; client < 100000; ++client)
    windows.push_back({ClientId(client), ReqNo(client * 3), Bytes(client % 2 ? "\x05\x80" : "")});
  CheckpointState state;
  state.clients.data = encoded(windows, {});
  CHECK(windows_of(state) == windows);
  const StableState read = opened({}, state, {});
  CHECK(read.windows == windows);
}

TEST_CASE("a state whose chunk is not there stops the replica") {
  CheckpointState state;
  state.clients.data = encoded({}, {});
  state.app_chunks = 2;
  ChunkTable chunks;
  chunks.put(ChunkTable::changed(Epoch(0), 0, {}, Bytes("first")));
  CHECK_THROWS_WITH_AS(
      (void)opened({}, state, chunks),
      "the write-ahead log lacks chunk 1 of the App's state at the end of epoch 0", ModuleFailure);
  chunks.put(ChunkTable::changed(Epoch(0), 1, {}, Bytes("second")));
  CHECK(opened({}, state, chunks).app == std::vector{Bytes("first"), Bytes("second")});
}

TEST_CASE("windows that cannot be read stop the replica") {
  CheckpointState state;
  state.clients.data = Bytes("\xff\xff");
  CHECK_THROWS_AS((void)windows_of(state), ModuleFailure);
}

}  // namespace mirbft::iss::state_chunks_test
