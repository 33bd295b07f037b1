// Solo: a cluster of one. The smallest Protocol, and the example of writing one.
#ifndef MIRBFT_PROTOCOL_SOLO_HPP
#define MIRBFT_PROTOCOL_SOLO_HPP

#include <utility>
#include <variant>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/net.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/types/frame_class.hpp>

namespace mirbft {

/// What Solo writes ahead: the batch of a sequence number, so that a restart delivers it again.
struct SoloDecided {
  static constexpr auto module = slot::protocol;
  static constexpr std::uint32_t number = 1;

  SeqNr sn;
  Batch batch;
};

/// What Solo would send to other replicas; there are none.
struct SoloNothing {};

/// Orders requests as they become ready. A request is delivered once it is in the log.
class Solo {
 public:
  using Message = std::variant<SoloNothing>;
  using consumes = events<RequestReady, MessageReceived<Message>, WalEntry<SoloDecided>>;
  using emits = events<WalAppend<SoloDecided>, Deliver>;

  struct Status {
    SeqNr next;
    std::uint64_t strangers_messages = 0;
  };

  static FrameClass frame_class(const Message&) { return FrameClass::vote; }

  void process(RequestReady ready, auto& out) {
    const Deliver deliver{next_, Batch({ready.reference})};
    ++next_;
    // Durable before it takes effect: the delivery follows the append.
    out.emit(WalAppend<SoloDecided>{{deliver.sn, deliver.batch}, RetentionIndex(0)})
        .then(deliver);
  }

  void process(WalEntry<SoloDecided> decided, auto& out) {
    next_ = decided.entry.sn + 1;
    out.emit(Deliver{decided.entry.sn, std::move(decided.entry.batch)});
  }

  /// There is nobody who could rightly send one: counted and dropped, as bad input always is.
  void process(MessageReceived<Message>, auto& /*out*/) { ++strangers_messages_; }

  Status status() const { return {next_, strangers_messages_}; }

 private:
  SeqNr next_;
  std::uint64_t strangers_messages_ = 0;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::SoloDecided, sn, batch);
BOOST_HANA_ADAPT_STRUCT(mirbft::SoloNothing);
BOOST_HANA_ADAPT_STRUCT(mirbft::Solo::Status, next, strangers_messages);

#endif
