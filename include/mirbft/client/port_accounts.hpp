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

  /// What somebody uses, and the wider account in which that counts as well.
  struct Account {
    PortUser user;
    Full level = Full::port;  // what is full where this account is
    Account* wider = nullptr;
    PortShare used{};
  };

  explicit PortAccounts(const ClientPortConfig& config)
      : limits_{config.total, config.per_address, config.per_client} {}
  PortAccounts(const PortAccounts&) = delete;
  PortAccounts& operator=(const PortAccounts&) = delete;

  const PortShare& total() const noexcept { return total_.used; }
  std::size_t addresses() const noexcept { return addresses_.size(); }
  std::size_t clients() const noexcept { return clients_.size(); }

  /// Which account, if any, has no room for so much more; the widest one.
  Full full(const Account& account, Amount amount, std::uint64_t more) const noexcept {
    Full full = Full::nothing;
    for (const Account* each = &account; each; each = each->wider)
      if (each->used.*amount + more > limit(each->level).*amount) full = each->level;
    return full;
  }
  Full full(const PortUser& user, Amount amount, std::uint64_t more) {
    Account& account = account_of(user);
    const Full answer = full(account, amount, more);
    close_unused(&account);
    return answer;
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

  static void add(Account& account, Amount amount, std::uint64_t more) noexcept {
    for (Account* each = &account; each; each = each->wider) each->used.*amount += more;
  }
  /// The account is there for as long as it is used.
  Account& add(const PortUser& user, Amount amount, std::uint64_t more) {
    Account& account = account_of(user);
    add(account, amount, more);
    return account;
  }

  void remove(Account& account, Amount amount, std::uint64_t less) {
    for (Account* each = &account; each; each = each->wider) each->used.*amount -= less;
    close_unused(&account);
  }
  void remove(const PortUser& user, Amount amount, std::uint64_t less) {
    remove(account_of(user), amount, less);
  }

 private:
  const PortShare& limit(Full level) const noexcept {
    return limits_[static_cast<std::size_t>(level) - 1];
  }

  Account& account_of(const PortUser& user) {
    const PortUser anybody{user.origin};
    Account& address =
        addresses_.try_emplace(user.origin, Account{anybody, Full::address, &total_}).first->second;
    if (!user.client) return address;
    return clients_
        .try_emplace({user.origin, *user.client}, Account{user, Full::client, &address})
        .first->second;
  }

  void close_unused(Account* account) {
    while (account != &total_ && is_unused(account->used)) {
      const PortUser user = account->user;
      account = account->wider;
      if (user.client)
        clients_.erase({user.origin, *user.client});
      else
        addresses_.erase(user.origin);
    }
  }
  static bool is_unused(const PortShare& used) noexcept {
    return used.connections + used.requests + used.request_bytes + used.answer_bytes == 0;
  }

  std::array<PortShare, 3> limits_;
  Account total_;
  std::map<boost::asio::ip::address, Account> addresses_;
  std::map<std::pair<boost::asio::ip::address, ClientId>, Account> clients_;
};

}  // namespace mirbft

#endif
