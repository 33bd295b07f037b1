// Why messages of other replicas were dropped, counted for the operator.
#ifndef MIRBFT_PROTOCOL_ISS_BAD_MESSAGE_HPP
#define MIRBFT_PROTOCOL_ISS_BAD_MESSAGE_HPP

#include <cstdint>

#include <boost/hana/adapt_struct.hpp>

namespace mirbft::iss {

/// The rules that a message may break.
enum class BadMessage : std::uint8_t {
  stranger,     // its sender is no member
  old_epoch,    // of an epoch that is over and forgotten: normal for a slow sender
  far_epoch,    // of an epoch too far ahead, or beyond what is kept of a sender
  proposal,     // a proposal that breaks a rule of protocol.md, section 3
  vote,         // a vote for a slot or view that does not exist
  duplicate,    // a second one where one is allowed
  signature,    // a signature that does not verify
  unasked,      // an answer that nobody asked for
  oversized,    // more than its kind may hold
  certificate,  // a certificate with too few signers, one twice, or of another membership
  state,        // a part of a state that is not what was certified
};

/// The counts by reason.
struct BadMessages {
  std::uint64_t stranger = 0;
  std::uint64_t old_epoch = 0;
  std::uint64_t far_epoch = 0;
  std::uint64_t proposal = 0;
  std::uint64_t vote = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t signature = 0;
  std::uint64_t unasked = 0;
  std::uint64_t oversized = 0;
  std::uint64_t certificate = 0;
  std::uint64_t state = 0;

  void count(BadMessage reason) noexcept {
    switch (reason) {
      case BadMessage::stranger: ++stranger; break;
      case BadMessage::old_epoch: ++old_epoch; break;
      case BadMessage::far_epoch: ++far_epoch; break;
      case BadMessage::proposal: ++proposal; break;
      case BadMessage::vote: ++vote; break;
      case BadMessage::duplicate: ++duplicate; break;
      case BadMessage::signature: ++signature; break;
      case BadMessage::unasked: ++unasked; break;
      case BadMessage::oversized: ++oversized; break;
      case BadMessage::certificate: ++certificate; break;
      case BadMessage::state: ++state; break;
    }
  }
};

}  // namespace mirbft::iss

BOOST_HANA_ADAPT_STRUCT(mirbft::iss::BadMessages, stranger, old_epoch, far_epoch, proposal, vote,
                        duplicate, signature, unasked, oversized, certificate, state);

#endif
