// The bug zoo: mistakes that an implementation of this library could have made, by name.
#ifndef MIRBFT_SIM_ZOO_MUTANT_HPP
#define MIRBFT_SIM_ZOO_MUTANT_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <mirbft/types/errors.hpp>

namespace mirbft::sim::zoo {

/// A mistake. A simulator that does not find one of these has a hole.
enum class Mutant : std::uint8_t {
  quorum_2f,
  weak_commit,
  votes_after_leaving,
  claims_forgotten,
  nil_not_claimed,
  lowest_claim,
  view_not_compared,
  never_joins,
  no_duplicate_filter,
  lost_batches,
  vote_not_logged,
  certificate_not_logged,
  view_change_not_logged,
  new_view_not_logged,
  checkpoint_not_logged,
  log_sync_lies,
  log_truncated_early,
  votes_not_recovered,
  certificates_not_recovered,
  views_not_recovered,
  store_sync_lies,
  live_payloads_collected,
  policy_not_persisted,
  app_forgets_on_restore,
  amnesia_ignored,
  /// No mistake: the same modules as they should be.
  none,
};

/// A mistake's name, and what it is.
struct MutantInfo {
  std::string_view name;
  std::string_view about;
};

inline constexpr std::array mutants{
    MutantInfo{"quorum_2f", "one Prepare, Commit and ViewChange too few are enough"},
    MutantInfo{"weak_commit", "f+1 Commits decide a slot"},
    MutantInfo{"votes_after_leaving", "certificates are made in a view that was left"},
    MutantInfo{"claims_forgotten", "a ViewChange claims nothing that was prepared"},
    MutantInfo{"nil_not_claimed", "a ViewChange does not claim a prepared nil"},
    MutantInfo{"lowest_claim", "of two claims the one of the lower view counts"},
    MutantInfo{"view_not_compared", "a ViewChange to an earlier view counts for a NewView"},
    MutantInfo{"never_joins", "no replica joins others that call for a view"},
    MutantInfo{"no_duplicate_filter", "a request may be proposed twice"},
    MutantInfo{"lost_batches", "requests of batches that were given up on are dropped"},
    MutantInfo{"vote_not_logged", "a Prepare is sent without its record"},
    MutantInfo{"certificate_not_logged", "a Commit is sent without its certificate's record"},
    MutantInfo{"view_change_not_logged", "a ViewChange is sent without its record"},
    MutantInfo{"new_view_not_logged", "votes in a new view are sent without its record"},
    MutantInfo{"checkpoint_not_logged", "a Checkpoint is sent without its state's record"},
    MutantInfo{"log_sync_lies", "the log says that it is synced, and is not"},
    MutantInfo{"log_truncated_early", "the log drops what is still needed"},
    MutantInfo{"votes_not_recovered", "a restarted replica does not know how it voted"},
    MutantInfo{"certificates_not_recovered", "a restarted replica does not know what it prepared"},
    MutantInfo{"views_not_recovered", "a restarted replica does not know which views it left"},
    MutantInfo{"store_sync_lies", "the store says that it is synced, and is not"},
    MutantInfo{"live_payloads_collected", "the store collects what is still needed"},
    MutantInfo{"policy_not_persisted", "leaders depend on what a restart forgets"},
    MutantInfo{"app_forgets_on_restore", "the App loses a part of a state that it restores"},
    MutantInfo{"amnesia_ignored", "a replica that has lost its disk votes at once"},
};

constexpr const MutantInfo& info(Mutant mutant) noexcept {
  return mutants[static_cast<std::size_t>(mutant)];
}

/// Throws ConfigError if there is no such mutant.
inline Mutant parse_mutant(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < mutants.size(); ++i) {
    if (mutants[i].name == name) return static_cast<Mutant>(i);
    (known += known.empty() ? "" : ", ") += mutants[i].name;
  }
  throw ConfigError("mutant", '"' + std::string(name) + '"', "must be all or one of " + known);
}

}  // namespace mirbft::sim::zoo

#endif
