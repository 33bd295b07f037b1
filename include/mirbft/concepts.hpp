// What each of a Node's nine modules must offer.
#ifndef MIRBFT_CONCEPTS_HPP
#define MIRBFT_CONCEPTS_HPP

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <mirbft/engine/event_list.hpp>
#include <mirbft/engine/module_traits.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/signature_check.hpp>

namespace mirbft {

// Every module is a movable type. It may offer `status()`, which returns a reflected struct for
// the operator; `config()`, a reflected struct that it can be made from anew, so that an event log
// can be replayed; `using placement = placement::…`; and `consumes`, `emits` and `process` for
// events of its own. Its calls come from one thread at a time unless its concept says otherwise.

/// Exchanges frames with the other replicas; knows nothing of what is in them.
/// `send` never blocks: it queues, and drops and counts when the peer's queue is full. `flush`
/// comes after each list of sends. `poll(sink, at_most, max_frames)` waits for a frame or a wake-up
/// and calls `sink(NodeId from, Bytes payload)` for what has arrived; the sender is authentic as
/// far as the Net can tell. `wake` may be called from any thread and ends a poll. `close` sends
/// what is queued.
template <class M>
concept IsNet = std::movable<engine::module_of<M>> &&
                requires(engine::module_of<M>& net, NodeId to, FrameClass kind,
                         const Bytes& payload, void (*sink)(NodeId, Bytes)) {
                  net.send(to, kind, payload);
                  net.flush();
                  net.poll(sink, std::chrono::nanoseconds(0), std::size_t{1});
                  net.wake();
                  net.close();
                };

/// Hashes like any standard hasher: `update` takes the next bytes, `finish` returns the digest of
/// all of them and begins anew.
template <class M>
concept IsHasher = std::movable<engine::module_of<M>> &&
                   requires(engine::module_of<M>& hasher, ByteView bytes) {
                     hasher.update(bytes);
                     { hasher.finish() } -> std::same_as<Digest>;
                   };

/// Signs for this node and verifies the signatures of nodes and clients, whose keys it keeps.
/// The `const` calls may run on several threads at once, the updates never beside another call.
///
/// A node's key may change between epochs. `update_node_key(node, from, key)` says which one holds
/// from an epoch on, and leaves those of earlier epochs as they are until
/// `forget_node_keys(before)` says that none before this one is asked about. `sign` and
/// `verify_node` use the key of the epoch that they name. A `sign` without the secret to the own
/// public key of that epoch throws ModuleFailure. Clients have one key at a time.
///
/// `verify_client` verifies a signature over what a client signs for one request. A Crypto may
/// offer `verify_request(ByteView cluster, const RequestRef&, ByteView authenticator) const` and is
/// asked by that instead, so that it can take authenticators of other forms: a request must be
/// verified alone, by any replica and at any time, with one and the same verdict under one key.
template <class M>
concept IsCrypto = std::movable<engine::module_of<M>> &&
                   requires(engine::module_of<M>& crypto, const engine::module_of<M>& keys,
                            NodeId node, Epoch epoch, ClientId client, ByteView bytes,
                            std::optional<Bytes> key) {
                     { keys.sign(epoch, bytes) } -> std::same_as<Bytes>;
                     {
                       keys.verify_node(node, epoch, bytes, bytes)
                     } -> std::same_as<SignatureCheck>;
                     { keys.verify_client(client, bytes, bytes) } -> std::same_as<SignatureCheck>;
                     crypto.update_node_key(node, epoch, key);
                     crypto.forget_node_keys(epoch);
                     crypto.update_client_key(client, key);
                   };

/// The replicated service. `apply` is called once for each sequence number that holds requests,
/// in order, and returns one result a request; it must depend on nothing but its arguments and
/// its state.
///
/// An App may change keys: `std::vector<Reconfiguration> reconfigurations()` is called with each
/// `snapshot` or `freeze`, and hands out what the requests applied since the last call, or since
/// `restore`, have asked for. It is part of the checkpoint then, and holds from the second next
/// epoch on.
template <class M>
concept AppliesRequests =
    std::movable<engine::module_of<M>> &&
    requires(engine::module_of<M>& app, SeqNr sn, std::span<const Request> requests) {
      { app.apply(sn, requests) } -> std::same_as<std::vector<Bytes>>;
    };

/// The simple form, for small states: `snapshot` writes all of the state, the same bytes for the
/// same state, while nothing else goes on; `restore` replaces the state by one so described.
template <class M>
concept IsSimpleApp = AppliesRequests<M> && requires(engine::module_of<M>& app, ByteView state) {
  { app.snapshot() } -> std::same_as<Bytes>;
  app.restore(state);
};

/// The chunked form, for large states, of which a checkpoint takes what has changed. The state is
/// a row of numbered chunks, of `good_chunk_size` at most where that can be. What is in which
/// chunk is the App's affair, but part of the state: a function of the requests alone.
///
/// `freeze` says how many chunks there are, and which differ from what they were at the last
/// `freeze` or `restore`; of a new App all do. It delays the requests, so it should only note
/// down. Afterwards `frozen(i)` is called once for each of those, between later calls of `apply`,
/// and returns the chunk as it was at `freeze`; all of them are read before the next `freeze`.
/// Chunks are added at the end; when one goes, the last one takes its number.
/// `restore` replaces the state, by all chunks in their order; that also ends a `freeze`.
template <class M>
concept IsChunkedApp =
    AppliesRequests<M> && requires(engine::module_of<M>& app, std::uint64_t index,
                                   std::span<const Bytes> chunks) {
      { app.freeze() } -> std::same_as<FrozenChunks>;
      { app.frozen(index) } -> std::same_as<Bytes>;
      app.restore(chunks);
    };

/// Of one form or the other; where an App has both, the engine takes the chunked one.
template <class M>
concept IsApp = IsSimpleApp<M> || IsChunkedApp<M>;

/// A write-ahead log. What was appended before `sync` is durable after it. `replay` calls
/// `f(type, entry)` for all that is in the log, in order; `truncate(i)` allows entries with a
/// lower retention index to be dropped. An error is an exception and stops the Node. A log that
/// keeps nothing may say so by `static constexpr bool discards = true;`, and is then not called.
template <class M>
concept IsWal = std::movable<engine::module_of<M>> &&
                requires(engine::module_of<M>& wal, Bytes entry, RetentionIndex index,
                         void (*f)(std::uint32_t, const Bytes&)) {
                  wal.append(std::uint32_t{1}, entry, index);
                  wal.sync();
                  wal.truncate(index);
                  wal.replay(f);
                };

/// Admits clients' requests: window, duplicates, size, authenticity, durability. Event-shaped:
/// it handles at least NewRequest and Applied.
template <class M>
concept IsTracker = std::movable<engine::module_of<M>> && requires {
  typename engine::module_of<M>::consumes;
  typename engine::module_of<M>::emits;
};

/// Keeps the bodies of requests. `put` of one that is there already takes the new authenticator in
/// place of the old: the client may have another key by now. `get` returns null for an unknown
/// reference, and a pointer that is valid until the next call. `delivered` says where references
/// were delivered, so that `collect` can drop them.
template <class M>
concept IsStore =
    std::movable<engine::module_of<M>> &&
    requires(engine::module_of<M>& store, const RequestRef& reference, Bytes bytes, SeqNr sn,
             Batch batch, const Collection& collection) {
      store.put(reference, bytes, bytes);
      store.sync();
      { store.get(reference) } -> std::convertible_to<const Request*>;
      store.delivered(sn, batch);
      store.collect(collection);
    };

/// Orders requests: a deterministic state machine over events. `Message` is what it sends to
/// other replicas, a variant of reflected structs, and `frame_class` tells the Net how to treat
/// one.
template <class M>
concept IsProtocol =
    std::movable<engine::module_of<M>> &&
    requires(const typename engine::module_of<M>::Message& message) {
      typename engine::module_of<M>::consumes;
      typename engine::module_of<M>::emits;
      { engine::module_of<M>::frame_class(message) } -> std::same_as<FrameClass>;
    };

/// Sees every list of events as it is dispatched: `intercept(slot, list)`, where
/// `list.for_each(look)` calls `look(const Event&)` in order. `begin(self, cluster, events<…>)`
/// tells it beforehand what it may see, and if it takes that, as a fourth argument
/// `const std::vector<ModuleDescription>&`, what the modules are; `end` is the last call.
template <class M>
concept IsInterceptor =
    std::movable<M> && requires(M& interceptor, NodeId self, ByteView cluster,
                                const engine::EventList<events<>>& list) {
      interceptor.begin(self, cluster, events<Init>{});
      interceptor.intercept(slot::node, list);
      interceptor.end();
    };

}  // namespace mirbft

#endif
