// The logs of two nodes that speak PBFT's words: what the tests of drawings and exports share.
#ifndef MIRBFT_TESTS_MIRCAT_TWO_NODES_HPP
#define MIRBFT_TESTS_MIRCAT_TWO_NODES_HPP

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/net.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/protocol.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/events/wal.hpp>
#include <mirbft/log/writer.hpp>
#include <mirbft/protocol/orderers/pbft_messages.hpp>

#include "../log/sample_log.hpp"

namespace two_nodes {

using mirbft::NodeId;
using mirbft::SeqNr;
using Send = mirbft::SendMessage<mirbft::PbftMessage>;
using Receive = mirbft::MessageReceived<mirbft::PbftMessage>;
using Prepared = mirbft::WalAppend<mirbft::PreparedEntry>;
using Decided = mirbft::WalAppend<mirbft::DecidedEntry>;
using Event = std::variant<mirbft::Init, mirbft::NewRequest, Send, Receive, Prepared, Decided,
                           mirbft::Deliver, mirbft::Applied, mirbft::Halt, sample::Measured>;
using Types = mirbft::events<mirbft::Init, mirbft::NewRequest, Send, Receive, Prepared, Decided,
                             mirbft::Deliver, mirbft::Applied, mirbft::Halt, sample::Measured>;

struct List {
  Event event;
  template <class Look>
  void for_each(Look&& look) const {
    std::visit(look, event);
  }
};

/// A log that is written event by event.
class Log {
 public:
  explicit Log(std::uint64_t node) : writer_(file_.path()) {
    writer_.begin(NodeId(node), mirbft::bytes_of("sample"), Types{});
  }
  void add(std::uint64_t time, mirbft::Slot slot, Event event) {
    writer_.append(slot, List{std::move(event)}, time);
  }
  std::string path() const { return file_.path(); }

 private:
  sample::TemporaryFile file_;
  mirbft::LogWriter writer_;
};

inline mirbft::Digest digest() { return mirbft::Digest{}; }

inline mirbft::Batch batch(std::uint64_t req_no) {
  return mirbft::Batch(std::vector<mirbft::RequestRef>{
      {mirbft::ClientId(7), mirbft::ReqNo(req_no), digest()}});
}
inline mirbft::PbftMessage proposal(std::uint64_t sn) {
  return mirbft::PrePrepare{{}, SeqNr(sn), batch(1), {}};
}
inline mirbft::PbftMessage prepare(std::uint64_t sn) {
  return mirbft::Prepare{{}, {}, SeqNr(sn), digest(), {}};
}
inline mirbft::PbftMessage commit(std::uint64_t sn) {
  return mirbft::Commit{{}, {}, SeqNr(sn), digest()};
}
inline Event sent(mirbft::PbftMessage message, std::vector<std::uint64_t> to) {
  Send event;
  for (const std::uint64_t node : to) event.destinations.push_back(NodeId(node));
  event.message = std::move(message);
  return event;
}
inline Event received(mirbft::PbftMessage message, std::uint64_t from) {
  return Receive{NodeId(from), std::move(message)};
}
inline Event prepared(std::uint64_t sn) {
  Prepared event;
  event.entry.certificate.sn = SeqNr(sn);
  event.entry.certificate.view = mirbft::View(0);
  event.entry.certificate.signatures.push_back({NodeId(0), {}});
  return event;
}
inline Event decided(std::uint64_t sn) {
  Decided event;
  event.entry.sn = SeqNr(sn);
  return event;
}
inline Event delivered(std::uint64_t sn, std::uint64_t req_no = 1) {
  return mirbft::Deliver{SeqNr(sn), batch(req_no)};
}

/// Node 0 leads and delivers sn 5; of node 0's Commit there is no receipt at node 1, which stays
/// prepared.
struct Cluster {
  Log zero{0};
  Log one{1};

  Cluster() {
    using namespace mirbft;
    zero.add(1000, slot::tracker,
             NewRequest{{ClientId(7), ReqNo(1), Bytes("</script>"), {}}, Spread::by_client});
    zero.add(2000, slot::net, sent(proposal(5), {1}));
    one.add(4000, slot::protocol, received(proposal(5), 0));
    one.add(5000, slot::net, sent(prepare(5), {0}));
    zero.add(7000, slot::protocol, received(prepare(5), 1));
    zero.add(8000, slot::wal, prepared(5));
    zero.add(9000, slot::net, sent(commit(5), {1}));
    one.add(9500, slot::wal, prepared(5));
    zero.add(10000, slot::wal, decided(5));
    zero.add(11000, slot::store, delivered(5));
    zero.add(12000, slot::tracker, Applied{SeqNr(5), {{ClientId(7), ReqNo(1), {}}}});
    one.add(13000, slot::app, sample::Measured{21, "attic"});
  }
};

}  // namespace two_nodes

#endif
