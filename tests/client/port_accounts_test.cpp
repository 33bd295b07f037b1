// Who uses how much of a port.
#include <mirbft/client/port_accounts.hpp>

#include <doctest/doctest.h>

namespace mirbft::port_accounts_test {

using boost::asio::ip::make_address;

namespace {

constexpr auto requests = &PortShare::requests;
using Full = PortAccounts::Full;

ClientPortConfig limits(std::uint64_t total, std::uint64_t address, std::uint64_t client) {
  ClientPortConfig config;
  config.total.requests = total;
  config.per_address.requests = address;
  config.per_client.requests = client;
  return config;
}

}  // namespace

TEST_CASE("what is used counts for all, for the address and for the client there") {
  PortAccounts accounts(limits(6, 4, 2));
  const PortUser here{make_address("192.0.2.1"), ClientId(1)};
  const PortUser neighbour{here.origin, ClientId(2)};
  const PortUser elsewhere{make_address("192.0.2.2"), ClientId(1)};

  accounts.add(here, requests, 2);
  CHECK(accounts.full(here, requests, 1) == Full::client);
  CHECK(accounts.full(neighbour, requests, 2) == Full::nothing);
  // Somebody who takes its name elsewhere does not use up its share, nor it the other's.
  CHECK(accounts.full(elsewhere, requests, 2) == Full::nothing);
  accounts.add(neighbour, requests, 2);
  CHECK(accounts.full({here.origin, ClientId(3)}, requests, 1) == Full::address);
  CHECK(accounts.full({here.origin, {}}, requests, 1) == Full::address);
  accounts.add(elsewhere, requests, 2);
  CHECK(accounts.full({make_address("192.0.2.3"), {}}, requests, 1) == Full::port);
  CHECK(accounts.total().requests == 6);
  CHECK(accounts.addresses() == 2);
  CHECK(accounts.clients() == 3);

  accounts.remove(neighbour, requests, 1);
  CHECK(accounts.full(here, requests, 1) == Full::client);
  CHECK(accounts.full({here.origin, ClientId(3)}, requests, 1) == Full::nothing);
}

TEST_CASE("an account is shared by those whom it counts") {
  const PortUser user{make_address("192.0.2.1"), ClientId(1)};
  const PortUser neighbour{user.origin, ClientId(2)};
  const PortUser elsewhere{make_address("192.0.2.2"), ClientId(1)};
  CHECK(PortAccounts::share(Full::port, user, elsewhere));
  CHECK(PortAccounts::share(Full::address, user, neighbour));
  CHECK_FALSE(PortAccounts::share(Full::address, user, elsewhere));
  CHECK(PortAccounts::share(Full::client, user, user));
  CHECK_FALSE(PortAccounts::share(Full::client, user, neighbour));
  CHECK_FALSE(PortAccounts::share(Full::nothing, user, user));
}

TEST_CASE("no account is kept of who uses nothing") {
  PortAccounts accounts(limits(6, 4, 2));
  const PortUser user{make_address("192.0.2.1"), ClientId(1)};
  accounts.add(user, requests, 2);
  accounts.add(user, &PortShare::answer_bytes, 10);
  accounts.remove(user, requests, 2);
  CHECK(accounts.clients() == 1);
  accounts.remove(user, &PortShare::answer_bytes, 10);
  CHECK(accounts.clients() == 0);
  CHECK(accounts.addresses() == 0);
}

TEST_CASE("an account that is in use is found once, and is the same for whoever asks by name") {
  PortAccounts accounts(limits(6, 4, 2));
  const PortUser user{make_address("192.0.2.1"), ClientId(1)};
  PortAccounts::Account& account = accounts.add(user, requests, 1);
  CHECK(&accounts.add(user, requests, 1) == &account);
  CHECK(accounts.full(account, requests, 1) == Full::client);
  CHECK(accounts.full(account, requests, 3) == Full::address);  // the widest one is told
  CHECK(accounts.full(account, requests, 5) == Full::port);
  CHECK(accounts.full({make_address("192.0.2.9"), ClientId(9)}, requests, 1) == Full::nothing);
  CHECK(accounts.clients() == 1);  // to ask opens none
  accounts.remove(account, requests, 2);
  CHECK(accounts.addresses() == 0);
  CHECK(accounts.total().requests == 0);
}

}  // namespace mirbft::port_accounts_test
