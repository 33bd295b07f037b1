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
#include <mirbft/types/outcome.hpp>
#include <mirbft/types/quorum.hpp>
#include <mirbft/types/reflect.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/types/shared.hpp>
#include <mirbft/types/signature_check.hpp>
#include <mirbft/types/sliding_window.hpp>

#include <mirbft/wire/canonical.hpp>
#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/codec.hpp>
#include <mirbft/wire/decode.hpp>
#include <mirbft/wire/encode.hpp>
#include <mirbft/wire/json.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/limits.hpp>
#include <mirbft/wire/reader.hpp>
#include <mirbft/wire/reflection.hpp>
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

#include <mirbft/modules/app/counter.hpp>
#include <mirbft/modules/crypto/null.hpp>
#include <mirbft/modules/interceptor/null.hpp>
#include <mirbft/modules/net/loopback.hpp>
#include <mirbft/modules/store/memory.hpp>
#include <mirbft/modules/wal/memory.hpp>
#include <mirbft/modules/wal/null.hpp>

#ifdef MIRBFT_WITH_OPENSSL
#include <mirbft/modules/hasher/openssl.hpp>
#endif

#ifdef MIRBFT_WITH_SODIUM
#include <mirbft/modules/crypto/sodium.hpp>
#endif

#endif
