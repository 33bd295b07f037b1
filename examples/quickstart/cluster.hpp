// The replicas' processes: started, listened to, and ended, with a limit to every wait.
#ifndef MIRBFT_EXAMPLES_QUICKSTART_CLUSTER_HPP
#define MIRBFT_EXAMPLES_QUICKSTART_CLUSTER_HPP

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/types/errors.hpp>
#include <mirbft/wire/config_file.hpp>

#include "../replica/report.hpp"
#include "../shared/process.hpp"
#include "../shared/signals.hpp"

namespace quickstart {

using programs::Process;
using programs::Signals;

/// The run cannot go on: the text names the replica and the reason.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// All replicas, each with what it said last. Whoever is left when this goes is killed.
class Cluster {
 public:
  explicit Cluster(const Signals& signals) : signals_(signals) {}

  /// Starts one more replica and waits until it listens.
  void start(std::string name, const std::vector<std::string>& command) {
    replicas_.push_back({std::move(name), Process(command), {}, Clock::now(), false});
    await("ready", [] {});
  }
  /// Lets the clients begin.
  void begin() {
    for (Replica& replica : replicas_) replica.process.write_line();
  }
  /// Waits until every replica says that all is delivered; calls `show()` about ten times a second.
  template <class Show>
  void await_completion(Show&& show) {
    await("complete", show);
  }
  /// Ends all replicas and waits for their last reports.
  void end() {
    for (Replica& replica : replicas_) replica.process.close_input();
    await("ended", [] {});
  }

  /// In the order of their start.
  std::vector<Report> reports() const {
    std::vector<Report> all;
    for (const Replica& replica : replicas_) all.push_back(replica.said);
    return all;
  }
  /// What all replicas have delivered.
  std::uint64_t delivered() const {
    std::uint64_t least = replicas_.empty() ? 0 : replicas_.front().said.delivered;
    for (const Replica& replica : replicas_) least = std::min(least, replica.said.delivered);
    return least;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds longest_silence{10};
  static constexpr std::chrono::seconds longest_standstill{20};
  static constexpr int poll_milliseconds = 100;

  struct Replica {
    std::string name;
    Process process;
    Report said;
    Clock::time_point heard;
    bool over = false;
  };

  /// Waits until every replica has said that it is at `stage`.
  template <class Show>
  void await(const std::string& stage, Show&& show) {
    std::uint64_t before = 0;
    Clock::time_point moved = Clock::now();
    for (Replica& replica : replicas_) replica.heard = moved;
    while (!all_at(stage)) {
      listen(stage);
      show();
      if (const std::uint64_t now = total(); now != before) {
        before = now;
        moved = Clock::now();
      }
      if (Clock::now() - moved > longest_standstill) throw Failure(standstill());
    }
  }

  bool all_at(const std::string& stage) const {
    return std::all_of(replicas_.begin(), replicas_.end(), [&](const Replica& replica) {
      return replica.said.stage == stage && (replica.over || stage != "ended");
    });
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const Replica& replica : replicas_) sum += replica.said.delivered;
    return sum;
  }

  /// Takes in what is said within a poll.
  void listen(const std::string& stage) {
    std::vector<pollfd> waits{{signals_.handle(), POLLIN, 0}};
    for (const Replica& replica : replicas_)
      waits.push_back({replica.over ? -1 : replica.process.output(), POLLIN, 0});
    ::poll(waits.data(), waits.size(), poll_milliseconds);
    if (waits[0].revents != 0) throw Failure("interrupted");
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      Replica& replica = replicas_[i];
      if (waits[i + 1].revents != 0) hear(replica, stage);
      if (!replica.over && Clock::now() - replica.heard > longest_silence)
        throw Failure(replica.name + " has said nothing for " +
                      std::to_string(longest_silence.count()) + " s");
    }
  }

  static void hear(Replica& replica, const std::string& stage) {
    replica.over = !replica.process.read();
    replica.heard = Clock::now();
    try {
      while (const auto line = replica.process.next_line())
        replica.said = mirbft::wire::parse_config<Report>(*line, "the report");
    } catch (const mirbft::ConfigError& error) {
      throw Failure(replica.name + " is not understood: " + error.what());
    }
    if (!replica.over) return;
    const std::string how = replica.process.wait();
    if (!how.empty()) throw Failure(replica.name + ' ' + how);
    if (stage != "ended") throw Failure(replica.name + " ended before its time");
  }

  std::string standstill() const {
    std::string text = "no progress for " + std::to_string(longest_standstill.count()) + " s:";
    for (const Replica& replica : replicas_)
      text += ' ' + replica.name + " has delivered " + std::to_string(replica.said.delivered) + ',';
    text.pop_back();
    return text;
  }

  const Signals& signals_;
  std::vector<Replica> replicas_;
};

}  // namespace quickstart

#endif
