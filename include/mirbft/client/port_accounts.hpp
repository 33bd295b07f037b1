// Who uses how much of a client port, and whether there is room for more.
#ifndef MIRBFT_CLIENT_PORT_ACCOUNTS_HPP
#define MIRBFT_CLIENT_PORT_ACCOUNTS_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include <mirbft/client/client_port_config.hpp>
#include <mirbft/modules/net/tcp_origin.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// Somebody whom the limits of a port hold for: an address, and a client there once it has said
/// its name.
struct PortUser {
  boost::asio::ip::address origin;
  std::optional<ClientId> client{};

  friend bool operator==(const PortUser&, const PortUser&) = default;
};

/// The accounts of a port: of all together, of each address and of each client. What is used up is
/// counted in all three; no account is kept of those who use nothing.
class PortAccounts {
 public:
  enum class Full : std::uint8_t { nothing, port, address, client };
  using Amount = std::uint64_t PortShare::*;

  explicit PortAccounts(const ClientPortConfig& config)
      : limits_{config.total, config.per_address, config.per_client} {}

  const PortShare& total() const noexcept { return total_; }
  std::size_t addresses() const noexcept { return addresses_.size(); }
  std::size_t clients() const noexcept { return clients_.size(); }

  /// Which account, if any, has no room for so much more.
  Full full(const PortUser& user, Amount amount, std::uint64_t more) const {
    const auto exceeds = [&](const PortShare& used, const PortShare& limit) {
      return used.*amount + more > limit.*amount;
    };
    if (exceeds(total_, limits_[0])) return Full::port;
    if (exceeds(used(addresses_, user.origin), limits_[1])) return Full::address;
    if (user.client && exceeds(used(clients_, {user.origin, *user.client}), limits_[2]))
      return Full::client;
    return Full::nothing;
  }

  /// Whether what the other uses counts in the account of `user` that is full.
  static bool share(Full full, const PortUser& user, const PortUser& other) {
    switch (full) {
      case Full::nothing: return false;
      case Full::port: return true;
      case Full::address: return user.origin == other.origin;
      case Full::client: return user == other;
    }
    return false;
  }

  void add(const PortUser& user, Amount amount, std::uint64_t more) {
    total_.*amount += more;
    addresses_[user.origin].*amount += more;
    if (user.client) clients_[{user.origin, *user.client}].*amount += more;
  }

  void remove(const PortUser& user, Amount amount, std::uint64_t less) {
    total_.*amount -= less;
    take(addresses_, user.origin, amount, less);
    if (user.client) take(clients_, {user.origin, *user.client}, amount, less);
  }

 private:
  template <class Key>
  static PortShare used(const std::map<Key, PortShare>& accounts, const Key& key) {
    const auto found = accounts.find(key);
    return found == accounts.end() ? PortShare{} : found->second;
  }
  template <class Key>
  static void take(std::map<Key, PortShare>& accounts, const Key& key, Amount amount,
                   std::uint64_t less) {
    const auto found = accounts.find(key);
    if (found == accounts.end()) return;
    PortShare& share = found->second;
    share.*amount -= less;
    if (share.connections + share.requests + share.request_bytes + share.answer_bytes == 0)
      accounts.erase(found);
  }

  std::array<PortShare, 3> limits_;
  PortShare total_;
  std::map<boost::asio::ip::address, PortShare> addresses_;
  std::map<std::pair<boost::asio::ip::address, ClientId>, PortShare> clients_;
};

}  // namespace mirbft

#endif
