// What the operator is told of a replica, on the pages of the HTTP port.
#ifndef MIRBFT_EXAMPLES_KV_BOARD_HPP
#define MIRBFT_EXAMPLES_KV_BOARD_HPP

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mirbft/types/quorum.hpp>
#include <mirbft/wire/prometheus.hpp>

#include "../shared/http_port.hpp"
#include "replica.hpp"

namespace kv {

/// How the life of the program goes.
enum class Stage : std::uint8_t { recovering, working, stopping, failed };

/// The latest look at the replica, for any thread.
class Board {
 public:
  using Clock = std::chrono::steady_clock;

  /// After so long without an answer a replica counts as stuck.
  static constexpr std::chrono::seconds patience{10};

  explicit Board(std::size_t members) : quorum_(members) {}

  /// `why` is the reason of a failure, or how far a recovery is.
  void enter(Stage stage, std::string why = {}) {
    const std::lock_guard lock(mutex_);
    stage_ = stage;
    why_ = std::move(why);
  }
  void post(Look look) {
    const std::lock_guard lock(mutex_);
    if (stage_ == Stage::recovering) stage_ = Stage::working;
    look_ = std::move(look);
    seen_ = Clock::now();
  }

  Stage stage() const {
    const std::lock_guard lock(mutex_);
    return stage_;
  }
  Look look() const {
    const std::lock_guard lock(mutex_);
    return look_;
  }

  /// Why the replica cannot do its part at present; empty: it can.
  std::vector<std::string> obstacles() const {
    const std::lock_guard lock(mutex_);
    return obstacles_now();
  }
  /// What its operator should know, whether it is ready or not.
  std::vector<std::string> remarks() const {
    const std::lock_guard lock(mutex_);
    return remarks_now();
  }

  std::optional<programs::Page> page(std::string_view path) const {
    const std::lock_guard lock(mutex_);
    if (path == "/livez") return verdict(faults_now(), "alive\n");
    if (path == "/readyz") return readiness();
    if (path == "/metrics") return metrics();
    if (path == "/status")
      return programs::Page{look_.json.empty() ? 503U : 200U, "application/json",
                            look_.json.empty() ? "{\"state\": \"recovering\"}\n" : look_.json};
    return std::nullopt;
  }

 private:
  static programs::Page verdict(const std::vector<std::string>& against, const char* none) {
    programs::Page page{.body = against.empty() ? none : ""};
    if (!against.empty()) page.status = 503;
    for (const std::string& reason : against) page.body += reason + '\n';
    return page;
  }

  programs::Page readiness() const {
    programs::Page page = verdict(obstacles_now(), "ready\n");
    for (const std::string& remark : remarks_now()) page.body += remark + '\n';
    return page;
  }

  /// What only a restart mends.
  std::vector<std::string> faults_now() const {
    if (stage_ == Stage::failed) return {"failed: " + why_};
    const auto silence = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - seen_);
    if (stage_ == Stage::working && silence > patience)
      return {"the replica has not answered for " + std::to_string(silence.count()) + " s"};
    return {};
  }
  std::vector<std::string> obstacles_now() const {
    std::vector<std::string> found = faults_now();
    if (stage_ == Stage::recovering) found.push_back("recovering" + why_);
    if (stage_ == Stage::stopping) found.push_back("stopping");
    const std::size_t needed = quorum_.strong() - 1;
    if (stage_ == Stage::working && look_.connected < needed)
      found.push_back("too few peers are connected: " + std::to_string(look_.connected) + " of " +
                      std::to_string(quorum_.members() - 1) + ", and " + std::to_string(needed) +
                      " are needed");
    return found;
  }

  std::vector<std::string> remarks_now() const {
    std::vector<std::string> found;
    if (stage_ != Stage::working) return found;
    if (!look_.absent.empty()) found.push_back("absent: " + look_.absent);
    if (!look_.may_vote)
      found.push_back("without memory: it votes again once what it has forgotten is over");
    return found;
  }

  programs::Page metrics() const {
    mirbft::wire::PrometheusText own({});
    own.put_gauge("ready", "Whether the replica can do its part at present.",
                  obstacles_now().empty());
    own.put_gauge("alive", "Whether it works: 0 calls for a restart.", faults_now().empty());
    return {200, std::string(mirbft::wire::PrometheusText::content_type),
            std::move(own).take() + look_.metrics};
  }

  const mirbft::Quorum quorum_;
  mutable std::mutex mutex_;
  Stage stage_ = Stage::recovering;
  std::string why_;
  Look look_;
  Clock::time_point seen_{};
};

}  // namespace kv

#endif
