// The state of an App as chunks, whichever form the App has.
#ifndef MIRBFT_ENGINE_APP_CHUNKS_HPP
#define MIRBFT_ENGINE_APP_CHUNKS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/concepts.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frozen_chunks.hpp>

namespace mirbft::engine {

/// Calls a chunked App, and sees that it keeps to what it must. Throws ModuleFailure.
template <class App>
class AppChunks {
 public:
  FrozenChunks freeze(App& app) {
    FrozenChunks frozen = app.freeze();
    if (frozen.count > max_chunks)
      throw ModuleFailure("the App's state has " + std::to_string(frozen.count) +
                          " chunks, and may have " + std::to_string(max_chunks) +
                          ": make larger chunks");
    const auto& changed = frozen.changed;
    if (std::adjacent_find(changed.begin(), changed.end(), std::greater_equal<>()) !=
            changed.end() ||
        (!changed.empty() && changed.back() >= frozen.count))
      throw ModuleFailure("the App must list changed chunks by ascending number, all below the "
                          "count of its chunks");
    const auto first_new = std::ranges::lower_bound(changed, count_);
    if (frozen.count > count_ &&
        static_cast<std::uint64_t>(changed.end() - first_new) != frozen.count - count_)
      throw ModuleFailure("the App must list every chunk that is new as one that has changed");
    count_ = frozen.count;
    return frozen;
  }
  Bytes read(App& app, std::uint64_t index) {
    Bytes chunk = app.frozen(index);
    if (chunk.size() > max_chunk_size)
      throw ModuleFailure("chunk " + std::to_string(index) + " of the App's state has " +
                          std::to_string(chunk.size()) + " bytes, and may have " +
                          std::to_string(max_chunk_size) + ": make smaller chunks");
    return chunk;
  }
  void restore(App& app, const std::vector<Bytes>& chunks) {
    app.restore(std::span<const Bytes>(chunks));
    count_ = chunks.size();
  }

 private:
  /// At the last `freeze` or `restore`.
  std::uint64_t count_ = 0;
};

/// Cuts the bytes of a simple App into chunks, and finds out which have changed.
template <class App>
  requires(!IsChunkedApp<App>)
class AppChunks<App> {
 public:
  FrozenChunks freeze(App& app) {
    const Bytes before = std::exchange(state_, app.snapshot());
    FrozenChunks frozen{chunks_of(state_), {}};
    for (std::uint64_t index = 0; index < frozen.count; ++index)
      if (index >= chunks_of(before) || slice(before, index) != slice(state_, index))
        frozen.changed.push_back(index);
    return frozen;
  }
  /// A copy: a slice would keep all of an old state alive.
  Bytes read(App& /*app*/, std::uint64_t index) const { return Bytes(slice(state_, index).view()); }
  void restore(App& app, const std::vector<Bytes>& chunks) {
    state_ = joined(chunks);
    app.restore(state_.view());
  }

 private:
  static std::uint64_t chunks_of(const Bytes& state) noexcept {
    return (state.size() + good_chunk_size - 1) / good_chunk_size;
  }
  static Bytes slice(const Bytes& state, std::uint64_t index) noexcept {
    return state.slice(index * good_chunk_size, good_chunk_size);
  }
  static Bytes joined(const std::vector<Bytes>& chunks) {
    std::size_t length = 0;
    for (const Bytes& chunk : chunks) length += chunk.size();
    return Bytes::filled(length, [&](std::uint8_t* at) {
      for (const Bytes& chunk : chunks) at = std::copy(chunk.begin(), chunk.end(), at);
    });
  }

  /// As of the last `freeze` or `restore`.
  Bytes state_;
};

}  // namespace mirbft::engine

#endif
