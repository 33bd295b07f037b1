// A number that a client has given to a request, and what the replicas have said to that.
#ifndef MIRBFT_CLIENT_OPEN_CALL_HPP
#define MIRBFT_CLIENT_OPEN_CALL_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <mirbft/client/client_config.hpp>
#include <mirbft/client/client_frames.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/outcome.hpp>

namespace mirbft {

/// One request that somebody waits for.
struct ClientCall {
  using Time = std::chrono::steady_clock::time_point;

  Bytes data;
  std::function<void(const ClientReply&)> on_end;
  Time deadline = Time::max();
};

/// A number that waits for its end.
struct OpenCall {
  using Time = ClientCall::Time;

  /// What one replica was asked, and has said.
  struct Asked {
    std::uint64_t submission = 0;  ///< the one that waits for an answer, if there is one
    std::optional<Outcome> said{};
  };

  ClientCall call;  ///< for numbers that nobody waits for, without `on_end`
  std::vector<Asked> asked;  ///< by the replicas' places
  Time due = Time::max();  ///< to ask again
  unsigned attempts = 0;
  Submission submission;  ///< the latest

  /// Whether answers are to come.
  bool is_asked() const noexcept {
    return std::any_of(asked.begin(), asked.end(),
                       [](const Asked& one) { return one.submission != 0; });
  }
  std::size_t count(Outcome outcome) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        asked.begin(), asked.end(), [&](const Asked& one) { return one.said == outcome; }));
  }
};

/// Refusals that asking again does not change.
constexpr bool is_final(Outcome outcome) noexcept {
  return outcome == Outcome::rejected_signature || outcome == Outcome::rejected_size ||
         outcome == Outcome::rejected_conflict;
}

}  // namespace mirbft

#endif
