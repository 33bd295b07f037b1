// The roots of batches whose signatures were found valid, so that each is verified once.
#ifndef MIRBFT_MODULES_CRYPTO_VERIFIED_ROOTS_HPP
#define MIRBFT_MODULES_CRYPTO_VERIFIED_ROOTS_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>
#include <mirbft/types/errors.hpp>
#include <mirbft/types/id.hpp>

namespace mirbft {

/// A root as its client has signed it. The signature is a part of it: another one over the same
/// root has still to be verified.
struct SignedRoot {
  Digest root;
  std::uint64_t leaves = 0;
  Bytes signature;

  friend bool operator==(const SignedRoot&, const SignedRoot&) = default;
};

/// How many roots are remembered, at about 300 bytes each.
struct RootLimits {
  std::size_t all = 8192;
  /// Of one client, so that none drives out what the others have.
  std::size_t of_one = 64;
};

/// Remembers signed roots, and forgets the oldest first. Not thread-safe.
class VerifiedRoots {
 public:
  /// Throws ConfigError.
  explicit VerifiedRoots(RootLimits limits) : limits_(limits) {
    if (limits.of_one == 0 || limits.of_one > limits.all)
      throw ConfigError("root_limits.of_one", std::to_string(limits.of_one),
                        "must be from 1 to root_limits.all, which is " +
                            std::to_string(limits.all));
  }

  bool contains(ClientId client, const SignedRoot& root) const {
    const auto known = clients_.find(client);
    // The newest first: the requests of a batch come together.
    return known != clients_.end() &&
           std::any_of(known->second.rbegin(), known->second.rend(),
                       [&](const Entry& entry) { return entry.root == root; });
  }

  /// In place of the client's oldest if its share is used up, else of the oldest of all if there
  /// is no more room. Does nothing when the root is there.
  void insert(ClientId client, SignedRoot root) {
    if (contains(client, root)) return;
    const auto known = clients_.find(client);
    if (known != clients_.end() && known->second.size() == limits_.of_one) {
      drop_oldest(client);
    } else if (by_age_.size() == limits_.all) {
      drop_oldest(by_age_.begin()->second);
    }
    by_age_.emplace(next_age_, client);
    clients_[client].push_back({next_age_, std::move(root)});
    ++next_age_;
  }

  /// For when a client's key changes.
  void forget(ClientId client) {
    while (clients_.contains(client)) drop_oldest(client);
  }

  std::size_t size() const noexcept { return by_age_.size(); }

 private:
  struct Entry {
    std::uint64_t age = 0;
    SignedRoot root;
  };

  void drop_oldest(ClientId client) {
    const auto known = clients_.find(client);
    by_age_.erase(known->second.front().age);
    known->second.erase(known->second.begin());
    if (known->second.empty()) clients_.erase(known);
  }

  RootLimits limits_;
  /// Nobody's list is empty; each is in the order of age.
  std::map<ClientId, std::vector<Entry>> clients_;
  std::map<std::uint64_t, ClientId> by_age_;
  std::uint64_t next_age_ = 0;
};

}  // namespace mirbft

#endif
