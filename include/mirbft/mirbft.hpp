// The whole library in one include. A macro named after a library opens what needs that library.
#ifndef MIRBFT_MIRBFT_HPP
#define MIRBFT_MIRBFT_HPP

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/client_window.hpp>
#include <mirbft/types/crc32c.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/frame_class.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/number_map.hpp>
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/shared.hpp>
#include <mirbft/types/signature_check.hpp>
#include <mirbft/types/sliding_window.hpp>
#include <mirbft/types/visit.hpp>

#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/config_file.hpp>
#include <mirbft/wire/decode.hpp>
#include <mirbft/wire/descriptor.hpp>
#include <mirbft/wire/encode.hpp>
#include <mirbft/wire/from_message.hpp>
#include <mirbft/wire/json.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/limits.hpp>
#include <mirbft/wire/proto_text.hpp>
#include <mirbft/wire/reader.hpp>
#include <mirbft/wire/reflection.hpp>
#include <mirbft/wire/request_bytes.hpp>
#include <mirbft/wire/schema.hpp>
#include <mirbft/wire/tag.hpp>
#include <mirbft/wire/type_name.hpp>
#include <mirbft/wire/utf8.hpp>

#include <mirbft/events/app.hpp>
#include <mirbft/events/crypto.hpp>
#include <mirbft/events/event.hpp>
#include <mirbft/events/hasher.hpp>
#include <mirbft/events/net.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/events/wal.hpp>

#include <mirbft/engine/assertions.hpp>
#include <mirbft/engine/callback.hpp>
#include <mirbft/engine/callers.hpp>
#include <mirbft/engine/cell.hpp>
#include <mirbft/engine/config.hpp>
#include <mirbft/engine/core.hpp>
#include <mirbft/engine/emitter.hpp>
#include <mirbft/engine/event_list.hpp>
#include <mirbft/engine/follow_ups.hpp>
#include <mirbft/engine/inbox.hpp>
#include <mirbft/engine/inquiry.hpp>
#include <mirbft/engine/module_traits.hpp>
#include <mirbft/engine/net_runner.hpp>
#include <mirbft/engine/plan.hpp>
#include <mirbft/engine/runner.hpp>
#include <mirbft/engine/stage.hpp>
#include <mirbft/engine/tasks/app.hpp>
#include <mirbft/engine/tasks/crypto.hpp>
#include <mirbft/engine/tasks/hasher.hpp>
#include <mirbft/engine/tasks/net.hpp>
#include <mirbft/engine/tasks/node.hpp>
#include <mirbft/engine/tasks/store.hpp>
#include <mirbft/engine/tasks/task.hpp>
#include <mirbft/engine/tasks/wal.hpp>
#include <mirbft/engine/tasks.hpp>
#include <mirbft/engine/threaded_driver.hpp>
#include <mirbft/engine/type_list.hpp>
#include <mirbft/engine/wake.hpp>
#include <mirbft/engine/wiring.hpp>
#include <mirbft/engine/wiring_text.hpp>
#include <mirbft/engine/work_items.hpp>

#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/app/key_value_store.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/interceptor/file.hpp>
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/modules/net/framing.hpp>
#include <mirbft/modules/net/gather.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/net/peer_queue.hpp>
#include <mirbft/modules/net/tcp.hpp>
#include <mirbft/modules/net/tcp_config.hpp>
#include <mirbft/modules/net/tcp_link.hpp>
#include <mirbft/modules/net/tcp_mesh.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/tracker/client_tracker.hpp>
#include <mirbft/modules/tracker/delivered_numbers.hpp>
#include <mirbft/modules/tracker/open_number.hpp>
#include <mirbft/modules/tracker/reply_cache.hpp>
#include <mirbft/modules/tracker/tracker_config.hpp>
#include <mirbft/modules/tracker/tracker_status.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/modules/wal/null.hpp>

#include <mirbft/protocol/iss/bad_message.hpp>
#include <mirbft/protocol/iss/bodies.hpp>
#include <mirbft/protocol/iss/buckets.hpp>
#include <mirbft/protocol/iss/checkpointing.hpp>
#include <mirbft/protocol/iss/checkpoints.hpp>
#include <mirbft/protocol/iss/clients.hpp>
#include <mirbft/protocol/iss/cluster.hpp>
#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/early_messages.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/protocol/iss/epoch_state.hpp>
#include <mirbft/protocol/iss/events.hpp>
#include <mirbft/protocol/iss/laggard.hpp>
#include <mirbft/protocol/iss/leader_policies.hpp>
#include <mirbft/protocol/iss/messages.hpp>
#include <mirbft/protocol/iss/own_batches.hpp>
#include <mirbft/protocol/iss/pace.hpp>
#include <mirbft/protocol/iss/proposer.hpp>
#include <mirbft/protocol/iss/slot_range.hpp>
#include <mirbft/protocol/iss/waiting_batches.hpp>
#include <mirbft/protocol/iss.hpp>
#include <mirbft/protocol/orderers/paxos.hpp>
#include <mirbft/protocol/orderers/paxos_messages.hpp>
#include <mirbft/protocol/orderers/paxos_slot.hpp>
#include <mirbft/protocol/orderers/pbft.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>
#include <mirbft/protocol/solo.hpp>

#include <mirbft/concepts.hpp>

#include <mirbft/node.hpp>

#include <mirbft/log/block_reader.hpp>
#include <mirbft/log/error.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/file.hpp>
#include <mirbft/log/format.hpp>
#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/replay.hpp>
#include <mirbft/log/schema.hpp>
#include <mirbft/log/writer.hpp>

#ifdef MIRBFT_WITH_OPENSSL
#include <mirbft/modules/hasher/openssl.hpp>
#endif

#ifdef MIRBFT_WITH_SODIUM
#include <mirbft/modules/crypto/sodium.hpp>
#endif

#endif
