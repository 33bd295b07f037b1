#include <mirbft/protocol/iss/checkpoint_draft.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include <doctest/doctest.h>

namespace mirbft::iss::checkpoint_draft_test {
namespace {

Digest digest(std::uint8_t byte) {
  Digest made;
  made.bytes[0] = byte;
  return made;
}
/// With so many clients' keys changed.
CheckpointDraft draft(std::uint64_t clients = 1) {
  CheckpointDraft made(Epoch(3), SeqNr(63), {digest(1)}, {}, {});
  std::vector<ClientKeyChange> changes;
  for (std::uint64_t i = 0; i < clients; ++i)
    changes.push_back({ClientId(i), Epoch(5), Bytes("key")});
  made.keys({{NodeId(2), Bytes("new")}}, 9, std::move(changes));
  return made;
}

}  // namespace

TEST_CASE("a header is there with its last part, whatever order they come in, one twice or not") {
  using Part = CheckpointPart;
  const std::vector<Part> parts{Part::policy,     Part::log,       Part::parameters,
                                Part::membership, Part::parameters, Part::app_state,
                                Part::clients};
  CheckpointDraft checkpoint = draft();
  checkpoint.app_length(5);
  std::optional<CheckpointHeader> made;
  for (const Part part : parts) {
    CHECK_FALSE(made);
    made = checkpoint.part(part, digest(static_cast<std::uint8_t>(100 + static_cast<int>(part))));
  }
  REQUIRE(made);
  CHECK(made->epoch == Epoch(3));
  CHECK(made->last == SeqNr(63));
  CHECK(made->app_length == 5);
  CHECK(made->log == digest(100));
  CHECK(made->app_state == digest(101));
  CHECK(made->clients == digest(102));
  CHECK(made->policy == digest(103));
  CHECK(made->membership == digest(104));
  CHECK(made->parameters == digest(105));
  CHECK(made->key_changes == 9);
  CHECK(made->node_keys == std::vector{NodeKey{NodeId(2), Bytes("new")}});
  CHECK_FALSE(checkpoint.part(Part::membership, digest(9)));  // it is complete
}

TEST_CASE("the chunks of the clients are counted, whatever order they come in") {
  CheckpointDraft checkpoint = draft(chunk_size / 10);
  REQUIRE(chunks_of(checkpoint.state().clients.data.size()) == 2);
  CHECK_FALSE(checkpoint.clients_chunk(1, digest(11)));
  CHECK(checkpoint.clients_chunk(0, digest(10)));
  CHECK(checkpoint.state().clients.digests == std::vector{digest(10), digest(11)});
}

TEST_CASE("the App's part is hashed when all pieces are here and all of their chunks are hashed") {
  CheckpointDraft checkpoint = draft();
  CHECK_FALSE(checkpoint.app_is_hashed());
  checkpoint.snapshot({SeqNr(63), 9, {{2, Bytes("two")}, {3, Bytes("three")}}, 1});
  CHECK(checkpoint.app_chunk(3) == Bytes("three"));
  CHECK(checkpoint.app_chunk(2) == Bytes("two"));
  CHECK_FALSE(checkpoint.app_is_hashed());
  checkpoint.snapshot({SeqNr(63), 9, {{7, Bytes("seven")}}, 0});
  CHECK_FALSE(checkpoint.app_is_hashed());
  CHECK(checkpoint.app_chunk(7) == Bytes("seven"));
  CHECK(checkpoint.app_is_hashed());
  CHECK(checkpoint.changed() == std::vector<std::uint64_t>{2, 3, 7});
  CHECK(checkpoint.state().app_chunks == 9);
}

}  // namespace mirbft::iss::checkpoint_draft_test
