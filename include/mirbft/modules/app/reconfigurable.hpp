// An App around another one: administrators change keys by requests of their own.
#ifndef MIRBFT_MODULES_APP_RECONFIGURABLE_HPP
#define MIRBFT_MODULES_APP_RECONFIGURABLE_HPP

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/events/reconfiguration.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/frozen_chunks.hpp>
#include <mirbft/types/id.hpp>
#include <mirbft/types/request.hpp>
#include <mirbft/wire/codec.hpp>

namespace mirbft {

/// Who may change keys, and what a key looks like. The same at every replica.
struct ReconfigurableConfig {
  /// Clients all of whose requests are reconfigurations.
  std::set<ClientId> administrators;
  /// The members of the cluster: nobody else's key can be changed.
  std::set<NodeId> members;
  /// Whether the Crypto module takes this for a public key, as `Ed25519Key::is_public_key` says.
  bool (*is_key)(ByteView key) = [](ByteView key) { return !key.empty(); };
};

/// What the body of an administrator's request holds.
struct ReconfigurationRequest {
  Reconfiguration change;
};

/// Passes requests on to `Inner`, but for those of administrators. The body of such a request is
/// `wire::encode(ReconfigurationRequest{…})`; the reply is `accepted`, or says why not, and then
/// nothing changes.
///
/// It has the forms that `Inner` has, the simple one, the chunked one or both. The state is that of
/// `Inner`: what was asked for is handed out with each snapshot, and is the
/// protocol's from then on. The administrator's own key may be changed in the same way.
template <class Inner>
class Reconfigurable {
 public:
  static constexpr std::string_view accepted = "in force from the second next epoch";

  explicit Reconfigurable(ReconfigurableConfig config, Inner inner = {})
      : config_(std::move(config)), inner_(std::move(inner)) {}

  std::vector<Bytes> apply(SeqNr sn, std::span<const Request> requests) {
    std::vector<Bytes> replies(requests.size());
    std::vector<Request> others;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (config_.administrators.contains(requests[i].client)) {
        replies[i] = Bytes(ask(requests[i].data));
      } else {
        others.push_back(requests[i]);
        places.push_back(i);
      }
    }
    if (others.empty()) return replies;
    std::vector<Bytes> inner = inner_.apply(sn, std::span<const Request>(others));
    if (inner.size() != others.size()) return inner;  // the engine says what is wrong with that
    for (std::size_t i = 0; i < inner.size(); ++i) replies[places[i]] = std::move(inner[i]);
    return replies;
  }

  Bytes snapshot()
    requires requires(Inner& app) { app.snapshot(); }
  {
    return inner_.snapshot();
  }
  Bytes snapshot() const
    requires requires(const Inner& app) { app.snapshot(); }
  {
    return inner_.snapshot();
  }
  FrozenChunks freeze()
    requires requires(Inner& app) { app.freeze(); }
  {
    return inner_.freeze();
  }
  Bytes frozen(std::uint64_t index)
    requires requires(Inner& app) { app.frozen(index); }
  {
    return inner_.frozen(index);
  }
  /// `State` is what `Inner` restores from, in the one form or the other.
  template <class State>
    requires requires(Inner& app, const State& state) { app.restore(state); }
  void restore(const State& state) {
    inner_.restore(state);
    asked_.clear();
  }

  std::vector<Reconfiguration> reconfigurations() { return std::exchange(asked_, {}); }

  const Inner& inner() const noexcept { return inner_; }

  auto status() const
    requires requires(const Inner& app) { app.status(); }
  {
    return inner_.status();
  }

 private:
  std::string_view ask(const Bytes& body) {
    const auto read = wire::decode<ReconfigurationRequest>(body, wire::Form::canonical);
    if (!read) return "refused: the body is no ReconfigurationRequest";
    const std::string_view fault = std::visit([&](const auto& one) { return fault_of(one); },
                                              read->change);
    if (!fault.empty()) return fault;
    asked_.push_back(own_copy(read->change));
    return accepted;
  }

  std::string_view fault_of(const NodeKey& change) const {
    if (!config_.members.contains(change.node))
      return "refused: the node is no member, and members cannot be added yet";
    if (!change.key) return "refused: a member needs a key, and members cannot be removed yet";
    return fault_of_key(*change.key);
  }
  std::string_view fault_of(const ClientKey& change) const {
    return change.key ? fault_of_key(*change.key) : "";
  }
  std::string_view fault_of_key(const Bytes& key) const {
    if (key.size() > max_public_key_bytes || !config_.is_key(key.view()))
      return "refused: that is no public key";
    return "";
  }

  /// A slice would keep the whole body in memory.
  static Reconfiguration own_copy(Reconfiguration change) {
    std::visit([](auto& one) { if (one.key) one.key = Bytes(one.key->view()); }, change);
    return change;
  }

  ReconfigurableConfig config_;
  Inner inner_;
  std::vector<Reconfiguration> asked_;
};

}  // namespace mirbft

BOOST_HANA_ADAPT_STRUCT(mirbft::ReconfigurationRequest, change);

#endif
