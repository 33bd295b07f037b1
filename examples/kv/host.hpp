// A replica at work: the threads around it, and what they tell the operator.
#ifndef MIRBFT_EXAMPLES_KV_HOST_HPP
#define MIRBFT_EXAMPLES_KV_HOST_HPP

#include <sys/eventfd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../shared/http_port.hpp"
#include "../shared/process.hpp"
#include "board.hpp"
#include "config.hpp"
#include "data_directory.hpp"
#include "recovery_progress.hpp"
#include "replica.hpp"

namespace kv {

/// One line of the operator's log.
inline constexpr const char* line_prefix = "mirbft-kv: ";
inline void log_line(const std::string& text) { std::cerr << line_prefix + text + '\n'; }

/// Starts when it is made, and ends when `stop` is called or the replica does; `ended()` is
/// readable then. Throws ConfigError for a wrong directory or a port that is taken.
class Host {
 public:
  explicit Host(const Config& config)
      : config_(config),
        directory_(config),
        board_(config.members.size()),
        ended_(::eventfd(0, EFD_CLOEXEC)) {
    if (config.http_port != 0)
      http_.emplace(config.http_host, config.http_port,
                    [this](std::string_view path) { return board_.page(path); });
    tell_start();
    worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }
  ~Host() { stop(); }

  int ended() const noexcept { return ended_.get(); }

  /// Ends everything. Throws what has kept the replica from starting; returns why it failed
  /// since, empty if it has not.
  std::string stop() {
    if (worker_.joinable()) {
      worker_.request_stop();
      worker_.join();
      if (startup_) std::rethrow_exception(startup_);
    }
    if (reading_.is_interrupted()) return {};
    if (!trouble_.empty()) return trouble_;
    return replica_ ? replica_->failure() : std::string();
  }

  /// How far a recovery is; to be called so often.
  void tell_progress() {
    if (board_.stage() != Stage::recovering) return;
    progress_.show(line_prefix, reading_.bytes());
    board_.enter(Stage::recovering, ": " + progress_.text(reading_.bytes()));
  }
  std::chrono::milliseconds progress_every() const noexcept { return progress_.every(); }

 private:
  static constexpr std::chrono::milliseconds look_every{500};

  void tell_start() const {
    std::string text = "node " + std::to_string(config_.self.value) + " of cluster \"" +
                       config_.cluster + "\", data in " + config_.data;
    if (http_) text += ", http on " + config_.http_host + ':' + std::to_string(http_->port());
    log_line(text);
    if (directory_.is_first_start()) log_line("first start: the logs are new");
    if (!directory_.loss().empty())
      log_line("memory lost: " + directory_.loss() +
               "; this node learns from the others, and votes again once that is safe");
  }

  void work(const std::stop_token& stop) {
    const std::stop_callback on_stop(stop, [this] {
      if (board_.stage() == Stage::recovering) reading_.interrupt();
    });
    try {
      replica_ = make_replica(config_, directory_, reading_);
      if (directory_.memory() == mirbft::Memory::whole) directory_.in_use();
      const bool well = run(stop);
      if (!well || !trouble_.empty())
        board_.enter(Stage::failed, well ? trouble_ : replica_->failure());
    } catch (const std::exception& error) {
      if (!reading_.is_interrupted()) startup_ = std::current_exception();
      board_.enter(Stage::failed, error.what());
    }
    (void)::eventfd_write(ended_.get(), 1);
  }

  bool run(const std::stop_token& stop) {
    std::stop_source end;
    const std::stop_callback on_stop(stop, [this, &end] {
      board_.enter(Stage::stopping);
      end.request_stop();
    });
    const std::jthread observer([this, &end](const std::stop_token& over) {
      try {
        observe(over);
      } catch (const std::exception& error) {
        trouble_ = error.what();
        end.request_stop();
      }
    });
    return replica_->run(end.get_token());
  }

  void observe(const std::stop_token& over) {
    std::optional<Look> before;
    std::optional<std::string> trouble;
    std::vector<std::string> remarks;
    std::mutex mutex;
    std::condition_variable_any pause;
    while (!over.stop_requested()) {
      const Look now = replica_->look();
      if (!now.has_begun) continue;  // the next one waits until it has
      if (over.stop_requested()) return;
      board_.post(now);
      if (!before) tell_recovered(now);
      // Its first sync, which says that memory was lost, is done: the log knows from now on.
      if (directory_.memory() == mirbft::Memory::lost && now.wal_syncs > 0) directory_.in_use();
      tell_changes(before.value_or(Look{}), now);
      tell_readiness(trouble);
      tell_remarks(remarks);
      before = now;
      std::unique_lock lock(mutex);
      pause.wait_for(lock, over, look_every, [] { return false; });
    }
  }

  void tell_recovered(const Look& now) const {
    progress_.clear();
    log_line("working: " + std::to_string(now.recovered_events) + " records, epoch " +
             std::to_string(now.epoch.value) + ": " + progress_.summary(reading_.bytes()));
    if (now.torn_bytes != 0)
      log_line("a crash had torn the last write of the log: " + std::to_string(now.torn_bytes) +
               " bytes were cut off, which nobody had been promised");
  }
  void tell_changes(const Look& before, const Look& now) const {
    if (now.connected != before.connected)
      log_line(std::to_string(now.connected) + " of " +
               std::to_string(config_.members.size() - 1) + " peers are connected" +
               (now.connected < before.connected ? ": " + now.last_end : ""));
    if (now.suspected > before.suspected)
      log_line("a leader is suspected in epoch " + std::to_string(now.epoch.value));
  }
  void tell_readiness(std::optional<std::string>& trouble) const {
    std::string now;
    for (const std::string& obstacle : board_.obstacles())
      now += (now.empty() ? "" : "; ") + obstacle;
    if (now == trouble) return;
    log_line(now.empty() ? "ready" : "not ready: " + now);
    trouble = now;
  }

  /// Each remark once, and that there is none any more.
  void tell_remarks(std::vector<std::string>& before) const {
    std::vector<std::string> now = board_.remarks();
    for (const std::string& remark : now)
      if (std::find(before.begin(), before.end(), remark) == before.end()) log_line(remark);
    if (now.empty() && !before.empty()) log_line("all peers are there, and it votes");
    before = std::move(now);
  }

  const Config config_;
  DataDirectory directory_;
  Board board_;
  const programs::Handle ended_;
  std::optional<programs::HttpPort> http_;
  const RecoveryProgress progress_{directory_.bytes_to_read()};
  Reading reading_;
  std::unique_ptr<Replica> replica_;
  std::exception_ptr startup_;
  /// Why the observer could not go on; for after the end.
  std::string trouble_;
  std::jthread worker_;
};

}  // namespace kv

#endif
