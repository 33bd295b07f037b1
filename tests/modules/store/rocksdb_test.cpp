// A RocksDbStore does what a MemoryStore does, and outlives its process however that ends.
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <mirbft/concepts.hpp>
#include <mirbft/modules/store/rocksdb.hpp>

#include "../../support/store_use.hpp"

namespace mirbft::rocksdb_test {
namespace {

using testing::Use;
static_assert(IsStore<RocksDbStore>);

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "mirbft-rocksdb-XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  RocksDbStore open(std::uint64_t node = 1) const {
    return RocksDbStore({.path = path_ + "/store", .node = NodeId(node)});
  }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

RequestRef reference(std::uint64_t number) {
  RequestRef made{ClientId(number % 3), ReqNo(number / 3), {}};
  made.digest.bytes[31] = static_cast<std::uint8_t>(number);
  return made;
}
Bytes body(std::uint64_t number) { return Bytes(std::string(number * 37 % 5000, 'b')); }

std::uint64_t count(RocksDbStore& store) {
  std::uint64_t requests = 0;
  store.for_each([&](const RequestRef&, const Request&) { ++requests; });
  return requests;
}

}  // namespace

TEST_CASE("a store over RocksDB has what one in memory has") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Folder folder;
    Use use(seed);
    RocksDbStore store = folder.open();
    for (int step = 0; step < 100; ++step) {
      use.step(store);
      REQUIRE(use.fault_of(store) == "");
    }
    CHECK(use.found_more() == 0);
    CHECK(count(store) == use.memory().status().requests);
    CHECK(store.status().syncs > 50);
  }
}

TEST_CASE("what comes back in a restart of a RocksDbStore is collected again") {
  Folder folder;
  Use use(1);
  for (int life = 0; life < 5; ++life) {
    RocksDbStore store = folder.open();
    for (int step = 0; step < 20; ++step) use.step(store);
    CHECK(use.fault_of(store) == "");
  }
  CHECK(use.found_more() != 0);
  RocksDbStore store = folder.open();
  store.collect({SeqNr(0), {{ClientId(0), ReqNo(1 << 20), {}}, {ClientId(1), ReqNo(1 << 20), {}},
                            {ClientId(2), ReqNo(1 << 20), {}}}});
  CHECK(count(store) == 0);
  store.sync();
  CHECK(count(store) == 0);
}

TEST_CASE("RocksDB: the first body under a reference stays, and takes a new authenticator") {
  Folder folder;
  {
    RocksDbStore store = folder.open();
    store.put(reference(7), Bytes("body"), Bytes("old"));
    CHECK(store.get(reference(7))->authenticator == Bytes("old"));
    store.sync();
    store.put(reference(7), Bytes("other"), Bytes("new"));
    store.sync();
    const std::uint64_t syncs = store.status().syncs;
    store.put(reference(7), Bytes("body"), Bytes("new"));
    store.sync();
    CHECK(store.status().syncs == syncs);
    CHECK(store.get(reference(8)) == nullptr);
  }
  RocksDbStore store = folder.open();
  const Request* found = store.get(reference(7));
  REQUIRE(found);
  CHECK(*found == Request{ClientId(1), ReqNo(2), Bytes("body"), Bytes("new")});
}

TEST_CASE("RocksDB: what was synced outlives a process that is killed amid writing") {
  Folder folder;
  std::uint64_t synced = 0;
  for (int life = 0; life < 5; ++life) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const ::pid_t child = ::fork();
    if (child == 0) {
      RocksDbStore store = folder.open();
      for (std::uint64_t number = synced;; ++number) {
        store.put(reference(number), body(number), Bytes("signature"));
        if (number % 5 != 4) continue;
        store.sync();
        const std::uint64_t next = number + 1;
        if (::write(ends[1], &next, sizeof next) != sizeof next) std::_Exit(1);
      }
    }
    ::close(ends[1]);
    // It is killed when it has synced a few, wherever it is by then.
    for (int told = 0; told < 20 * (life + 1); ++told)
      REQUIRE(::read(ends[0], &synced, sizeof synced) == sizeof synced);
    ::kill(child, SIGKILL);
    for (std::uint64_t next = 0; ::read(ends[0], &next, sizeof next) == sizeof next;) synced = next;
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    RocksDbStore store = folder.open();
    for (std::uint64_t number = 0; number < synced; ++number) {
      const Request* found = store.get(reference(number));
      REQUIRE(found);
      REQUIRE(found->data == body(number));
    }
  }
  CHECK(synced >= 5 * 20 * 5);
}

TEST_CASE("RocksDB: a directory is one node's and one process's") {
  Folder folder;
  {
    RocksDbStore store = folder.open();
    CHECK_THROWS_AS((void)folder.open(), ModuleFailure);
  }
  CHECK_THROWS_WITH_AS((void)folder.open(2), doctest::Contains("holds the requests of node 1"),
                       ConfigError);
}

TEST_CASE("RocksDB: damage to what was durable is not passed over") {
  Folder folder;
  {
    RocksDbStore store = folder.open();
    for (std::uint64_t number = 0; number < 100; ++number) {
      store.put(reference(number), body(number), {});
      store.sync();
    }
  }
  std::size_t damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/store")) {
    if (entry.path().extension() != ".log" || entry.file_size() < 1000) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    file.write("damaged!", 8);
    ++damaged;
  }
  CHECK(damaged == 1);
  CHECK_THROWS_WITH_AS((void)folder.open(), doctest::Contains("Corruption"), ModuleFailure);
}

}  // namespace mirbft::rocksdb_test
