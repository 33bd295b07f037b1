// Why a connection between a client and a replica ends.
#ifndef MIRBFT_CLIENT_LINK_END_HPP
#define MIRBFT_CLIENT_LINK_END_HPP

#include <cstdint>
#include <string_view>

#include <boost/hana/adapt_struct.hpp>

namespace mirbft {

/// How many connections ended, by reason.
struct LinkEnds {
  std::uint64_t lost = 0;           ///< closed by the other side, or by a failure between
  std::uint64_t failed = 0;         ///< could not be made
  std::uint64_t bad_handshake = 0;  ///< by what the transport demands; `last_end` says what
  std::uint64_t silent = 0;         ///< nothing was read for `dead_after`
  std::uint64_t no_hello = 0;       ///< no Hello for `hello_within`
  std::uint64_t bad_hello = 0;      ///< something else in its place, unreadable, or a second one
  std::uint64_t wrong_version = 0;  ///< a different version of the protocol
  std::uint64_t wrong_cluster = 0;  ///< a different cluster id
  std::uint64_t stranger = 0;       ///< not the replica dialed, or the request of another client
  std::uint64_t unknown_kind = 0;   ///< a frame of no known kind
  std::uint64_t too_long = 0;       ///< a frame beyond the limit of its kind
  std::uint64_t bad_frame = 0;      ///< a frame that cannot be decoded
  std::uint64_t slow_reader = 0;    ///< does not read what waits for it
  std::uint64_t port_full = 0;      ///< the port has as many connections as it may
  std::uint64_t address_full = 0;   ///< the address has as many connections as it may
  std::uint64_t client_full = 0;    ///< the client has as many connections as it may
  std::uint64_t closed = 0;         ///< this side shuts down
};

/// Why a connection ends: its counter and its words.
struct LinkEnd {
  std::uint64_t LinkEnds::*counter;
  std::string_view text;

  static const LinkEnd lost, failed, silent, no_hello, bad_hello, wrong_version, wrong_cluster,
      stranger, unknown_kind, too_long, bad_frame, slow_reader, port_full, address_full,
      client_full, closed;
};

inline constexpr LinkEnd LinkEnd::lost{&LinkEnds::lost, "the connection was lost"};
inline constexpr LinkEnd LinkEnd::failed{&LinkEnds::failed, "no connection could be made"};
inline constexpr LinkEnd LinkEnd::silent{&LinkEnds::silent,
                                         "the other side was silent for too long"};
inline constexpr LinkEnd LinkEnd::no_hello{&LinkEnds::no_hello, "no Hello came in time"};
inline constexpr LinkEnd LinkEnd::bad_hello{&LinkEnds::bad_hello, "the Hello was not understood"};
inline constexpr LinkEnd LinkEnd::wrong_version{
    &LinkEnds::wrong_version, "the other side speaks a different version of the protocol"};
inline constexpr LinkEnd LinkEnd::wrong_cluster{
    &LinkEnds::wrong_cluster, "the other side belongs to a different cluster"};
inline constexpr LinkEnd LinkEnd::stranger{
    &LinkEnds::stranger, "the other side is not, or does not speak for, the one that was named"};
inline constexpr LinkEnd LinkEnd::unknown_kind{&LinkEnds::unknown_kind,
                                               "a frame of an unknown kind came"};
inline constexpr LinkEnd LinkEnd::too_long{&LinkEnds::too_long,
                                           "a frame came that is longer than its kind allows"};
inline constexpr LinkEnd LinkEnd::bad_frame{&LinkEnds::bad_frame,
                                            "a frame came that cannot be decoded"};
inline constexpr LinkEnd LinkEnd::slow_reader{
    &LinkEnds::slow_reader, "the other side does not read what waits for it"};
inline constexpr LinkEnd LinkEnd::port_full{&LinkEnds::port_full,
                                            "the port has no room for another connection"};
inline constexpr LinkEnd LinkEnd::address_full{
    &LinkEnds::address_full, "too many connections come from this address"};
inline constexpr LinkEnd LinkEnd::client_full{&LinkEnds::client_full,
                                              "this client has too many connections"};
inline constexpr LinkEnd LinkEnd::closed{&LinkEnds::closed, "this side shuts down"};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::LinkEnds, lost, failed, bad_handshake, silent, no_hello, bad_hello,
                        wrong_version, wrong_cluster, stranger, unknown_kind, too_long, bad_frame,
                        slow_reader, port_full, address_full, client_full, closed);

#endif
