// KeyValueStore under any commands and any snapshots: it answers or refuses, and a store that was
// restored from a snapshot cannot be told from the one that made it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <mirbft/modules/app/key_value_store.hpp>

namespace {

using mirbft::Bytes;
using mirbft::ByteView;
using mirbft::KeyValueStore;
using mirbft::Request;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// One request a line.
std::vector<Request> requests_of(std::string_view text) {
  std::vector<Request> requests;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    requests.push_back({{}, mirbft::ReqNo(requests.size()), Bytes(line), {}});
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return requests;
}

/// Replaces the store's state; false if the snapshot is refused, as it may be.
bool restore(KeyValueStore& store, ByteView snapshot) {
  try {
    store.restore(snapshot);
  } catch (const mirbft::ModuleFailure&) {
    return false;
  }
  return true;
}

void check_restored(const KeyValueStore& store, KeyValueStore& restored) {
  const Bytes snapshot = store.snapshot();
  require(restore(restored, snapshot.view()), "a store refuses its own snapshot");
  require(restored.size() == store.size(), "a restored store has lost or gained keys");
  require(restored.snapshot() == snapshot, "a restored store has another snapshot");
}

void check_commands(std::string_view text) {
  const std::vector<Request> requests = requests_of(text);
  const auto middle = requests.begin() + static_cast<std::ptrdiff_t>(requests.size() / 2);
  KeyValueStore store;
  const auto first = store.apply({}, {requests.begin(), middle});
  require(first.size() == requests.size() / 2, "a request has no reply");

  KeyValueStore restored;
  check_restored(store, restored);
  require(store.apply({}, {middle, requests.end()}) ==
              restored.apply({}, {middle, requests.end()}),
          "a restored store replies differently");
  require(store.snapshot() == restored.snapshot(), "a restored store goes another way");
}

void check_snapshot(ByteView input) {
  KeyValueStore store;
  store.apply({}, requests_of("SET a 1\nSET b 2"));
  const Bytes before = store.snapshot();
  if (!restore(store, input)) {
    require(store.snapshot() == before, "a refused snapshot has left a trace");
    return;
  }
  KeyValueStore restored;
  check_restored(store, restored);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView input(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    check_commands({reinterpret_cast<const char*>(input.data()), input.size()});
  } else {
    check_snapshot(input);
  }
  return 0;
}
