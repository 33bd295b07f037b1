// Hashes, signatures and configurations for tests of Iss and its parts.
#ifndef MIRBFT_TESTS_SUPPORT_ISS_VALUES_HPP
#define MIRBFT_TESTS_SUPPORT_ISS_VALUES_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mirbft/protocol/iss/config.hpp>
#include <mirbft/protocol/iss/epoch_plan.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>

namespace mirbft::testing {

/// Enough of a hash for a test: what differs has another digest.
inline Digest digest_of_bytes(ByteView bytes) {
  Digest digest;
  std::uint64_t state = 14695981039346656037u;  // FNV-1a
  for (const std::uint8_t byte : bytes) state = (state ^ byte) * 1099511628211u;
  for (std::size_t i = 0; i < Digest::size; ++i) {
    state = iss::mix(state + i);
    digest.bytes[i] = static_cast<std::uint8_t>(state);
  }
  return digest;
}

inline Digest digest_of_parts(const std::vector<Bytes>& parts) {
  std::vector<std::uint8_t> all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return digest_of_bytes(all);
}

/// A signature that shows who made it and over what.
inline Bytes signature_of(NodeId node, const Bytes& message) {
  const Digest digest = digest_of_bytes(message.view());
  return Bytes(std::to_string(node.value) + ":" +
               std::string(digest.bytes.begin(), digest.bytes.end()));
}

inline std::vector<NodeId> members(std::size_t n) {
  std::vector<NodeId> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back(NodeId(i));
  return all;
}

inline IssConfig iss_config(std::size_t n, NodeId self = NodeId(0)) {
  IssConfig config;
  config.self = self;
  config.members = members(n);
  config.cluster = Bytes("test");
  config.epoch_length = static_cast<std::uint32_t>(4 * n);
  config.max_batch_requests = 4;
  config.client_window = 1000;
  return config;
}

}  // namespace mirbft::testing

#endif
