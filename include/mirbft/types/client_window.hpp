// Which request numbers of a client are open, and what a checkpoint allows to be forgotten.
#ifndef MIRBFT_TYPES_CLIENT_WINDOW_HPP
#define MIRBFT_TYPES_CLIENT_WINDOW_HPP

#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// A client's window at the start of an epoch: valid request numbers are `[low, low + W)`.
struct ClientWindow {
  ClientId client;
  ReqNo low;
  /// Bit i (byte i / 8, least significant first) is set when `low + i` is delivered already;
  /// numbers past the end are not.
  Bytes delivered;

  friend bool operator==(const ClientWindow&, const ClientWindow&) = default;

  bool is_delivered(ReqNo req_no) const noexcept {
    const std::uint64_t bit = req_no - low;
    return req_no < low || (bit / 8 < delivered.size() && ((delivered[bit / 8] >> (bit % 8)) & 1));
  }
};

/// What a stable checkpoint allows a store to forget.
struct Collection {
  /// Requests delivered at or before this sequence number.
  SeqNr through;
  /// Undelivered requests below their client's `low`; the bitmaps are not set here.
  std::vector<ClientWindow> windows;

  friend bool operator==(const Collection&, const Collection&) = default;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ClientWindow, client, low, delivered);
BOOST_HANA_ADAPT_STRUCT(mirbft::Collection, through, windows);

#endif
