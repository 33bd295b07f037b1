#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <mirbft/modules/store/memory.hpp>

namespace mirbft::store_memory_test {

namespace {

RequestRef reference(std::uint64_t client, std::uint64_t req_no, std::uint8_t payload = 0) {
  RequestRef made{ClientId(client), ReqNo(req_no), {}};
  made.digest.bytes[0] = payload;
  return made;
}

Batch batch(std::vector<RequestRef> references) { return Batch(std::move(references)); }

Collection collection(std::uint64_t through, std::vector<ClientWindow> windows = {}) {
  return {SeqNr(through), std::move(windows)};
}

ClientWindow window(std::uint64_t client, std::uint64_t low) {
  return {ClientId(client), ReqNo(low), {}};
}

}  // namespace

TEST_CASE("a request that was put is got") {
  MemoryStore store;
  store.put(reference(1, 7), Bytes("body"), Bytes("signature"));
  store.sync();

  const Request* found = store.get(reference(1, 7));
  REQUIRE(found);
  CHECK(*found == Request{ClientId(1), ReqNo(7), Bytes("body"), Bytes("signature")});
  CHECK(store.status().requests == 1);
  CHECK(store.status().bytes == 13);

  CHECK_FALSE(store.get(reference(1, 7, 1)));
  CHECK_FALSE(store.get(reference(1, 8)));
  CHECK_FALSE(store.get(reference(1, 700)));
  CHECK_FALSE(store.get(reference(2, 7)));
}

TEST_CASE("the first body under a reference stays") {
  MemoryStore store;
  store.put(reference(1, 7), Bytes("first"), {});
  store.put(reference(1, 7), Bytes("again"), {});
  CHECK(store.get(reference(1, 7))->data == Bytes("first"));
  CHECK(store.status().requests == 1);
  CHECK(store.status().bytes == 5);
}

TEST_CASE("two payloads under one number are kept side by side") {
  MemoryStore store;
  store.put(reference(1, 7, 2), Bytes("two"), {});
  store.put(reference(1, 8), Bytes("next"), {});
  store.put(reference(1, 7, 1), Bytes("one"), {});
  REQUIRE(store.get(reference(1, 7, 1)));
  REQUIRE(store.get(reference(1, 7, 2)));
  CHECK(store.get(reference(1, 7, 1))->data == Bytes("one"));
  CHECK(store.get(reference(1, 7, 2))->data == Bytes("two"));
  CHECK(store.get(reference(1, 8))->data == Bytes("next"));

  store.delivered(SeqNr(0), batch({reference(1, 7, 2)}));
  store.collect(collection(0));
  CHECK_FALSE(store.get(reference(1, 7, 2)));
  CHECK(store.get(reference(1, 7, 1)));

  store.collect(collection(0, {window(1, 8)}));
  CHECK_FALSE(store.get(reference(1, 7, 1)));
  CHECK(store.get(reference(1, 8)));
}

TEST_CASE("what was delivered goes with the sequence number, whatever the window says") {
  MemoryStore store;
  for (std::uint64_t i = 0; i < 4; ++i) store.put(reference(1, i), Bytes("x"), {});
  store.delivered(SeqNr(10), batch({reference(1, 0), reference(1, 1)}));
  store.delivered(SeqNr(11), batch({reference(1, 3)}));

  store.collect(collection(10, {window(1, 4)}));
  CHECK_FALSE(store.get(reference(1, 0)));
  CHECK_FALSE(store.get(reference(1, 1)));
  CHECK_FALSE(store.get(reference(1, 2)));  // never delivered here, and below low
  CHECK(store.get(reference(1, 3)));        // delivered after what is collected
  CHECK(store.status().requests == 1);

  store.collect(collection(11));
  CHECK(store.status().requests == 0);
  CHECK(store.status().bytes == 0);
}

TEST_CASE("a dropped request may come back") {
  MemoryStore store;
  store.put(reference(1, 0), Bytes("x"), {});
  store.put(reference(1, 1), Bytes("y"), {});  // keeps the shelf
  store.delivered(SeqNr(0), batch({reference(1, 0)}));
  store.collect(collection(0));
  store.put(reference(1, 0), Bytes("x"), {});
  CHECK(store.get(reference(1, 0)));
  CHECK(store.status().requests == 2);
  store.collect(collection(0, {window(1, 1)}));  // it counts as undelivered now
  CHECK_FALSE(store.get(reference(1, 0)));
}

TEST_CASE("what was never there is collected without harm") {
  MemoryStore store;
  store.delivered(SeqNr(0), batch({reference(1, 0), reference(9, 3)}));
  store.collect(collection(5, {window(1, 100), window(2, 1)}));
  CHECK(store.status().requests == 0);
}

TEST_CASE("random work agrees with a plain model") {
  std::mt19937_64 random(2);
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  const auto any = [&below] {
    return reference(below(3), below(300), static_cast<std::uint8_t>(below(2)));
  };

  MemoryStore store;
  std::map<RequestRef, bool> model;  // what is kept, and whether it was delivered
  std::map<std::uint64_t, std::set<RequestRef>> batches;
  std::uint64_t next_sn = 0;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t kind = below(100);
    if (kind < 60) {
      const RequestRef put = any();
      store.put(put, Bytes("body"), Bytes("s"));
      model.try_emplace(put, false);
    } else if (kind < 95) {
      std::set<RequestRef> chosen;
      for (int i = 0; i < 5; ++i) chosen.insert(any());
      for (const RequestRef& ref : chosen)
        if (model.contains(ref)) model[ref] = true;
      store.delivered(SeqNr(next_sn), batch({chosen.begin(), chosen.end()}));
      batches[next_sn++] = chosen;
    } else if (next_sn > 0) {
      const std::uint64_t through = below(next_sn);
      const ClientWindow moved = window(below(3), below(300));
      store.collect(collection(through, {moved}));
      for (; !batches.empty() && batches.begin()->first <= through; batches.erase(batches.begin()))
        for (const RequestRef& ref : batches.begin()->second) model.erase(ref);
      std::erase_if(model, [&moved](const auto& kept) {
        return !kept.second && kept.first.client == moved.client &&
               kept.first.req_no < moved.low;
      });
    }
    const RequestRef probe = any();
    REQUIRE((store.get(probe) != nullptr) == model.contains(probe));
    REQUIRE(store.status().requests == model.size());
    REQUIRE(store.status().bytes == 5 * model.size());
  }
}

TEST_CASE("of a request that is kept, a later signature takes the place of the first") {
  MemoryStore store;
  const RequestRef reference{ClientId(1), ReqNo(2), {}};
  store.put(reference, Bytes("body"), Bytes("old"));
  store.put(reference, Bytes("body"), Bytes("newer"));
  REQUIRE(store.get(reference));
  CHECK(store.get(reference)->authenticator == Bytes("newer"));
  CHECK(store.status().requests == 1);
  CHECK(store.status().bytes == 4 + 5);
}

}  // namespace mirbft::store_memory_test
