// Key pairs as they stand in configuration files.
#ifndef MIRBFT_EXAMPLES_SHARED_KEYS_HPP
#define MIRBFT_EXAMPLES_SHARED_KEYS_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include <mirbft/modules/crypto/sodium.hpp>
#include <mirbft/types/bytes.hpp>

namespace programs {

/// A public key, or the secret seed of a pair. Hexadecimal digits in files.
using Key = std::array<std::uint8_t, 32>;

inline Key key_of(const mirbft::Bytes& bytes) {
  Key key;
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

/// A secret that nobody else has.
inline Key new_seed() { return key_of(mirbft::Ed25519Key::random_seed()); }

/// What others know of the pair.
inline Key public_key_of(const Key& seed) {
  return key_of(mirbft::Ed25519Key(mirbft::ByteView(seed)).public_key());
}

/// The keys of members or of clients, by id.
template <class Id, class Entry>
std::map<Id, mirbft::Bytes> keys_of(const std::vector<Entry>& entries) {
  std::map<Id, mirbft::Bytes> keys;
  for (const Entry& entry : entries)
    keys[entry.id] = mirbft::Bytes(mirbft::ByteView(entry.public_key));
  return keys;
}

}  // namespace programs

#endif
