// The replicas' processes: what they say, and what becomes of them.
#ifndef MIRBFT_EXAMPLES_TESTNET_CREW_HPP
#define MIRBFT_EXAMPLES_TESTNET_CREW_HPP

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../shared/process.hpp"
#include "../shared/signals.hpp"

namespace testnet {

/// What to do about a replica that ends by itself.
enum class OnEnd { leave, restart };

/// Starts all replicas and passes on what they say, each line with the replica's name before it.
class Crew {
 public:
  Crew(const programs::Signals& signals, OnEnd on_end) : signals_(signals), on_end_(on_end) {}

  void add(std::string name, std::vector<std::string> command) {
    hands_.push_back({std::move(name), std::move(command), std::nullopt, {}});
  }

  /// Works until a signal comes or nobody is left; then ends those who are. Returns whether none
  /// has ended by itself for good.
  bool work() {
    for (Hand& hand : hands_) start(hand);
    bool all_well = true;
    while (any_left() && !listen()) all_well = look_after() && all_well;
    return end() && all_well;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds pause{1};
  static constexpr std::chrono::seconds patience{20};
  static constexpr int poll_milliseconds = 200;

  struct Hand {
    std::string name;
    std::vector<std::string> command;
    std::optional<programs::Process> process;
    /// When to start it again.
    std::optional<Clock::time_point> again;
  };

  static void say(const Hand& hand, const std::string& text) {
    std::cout << hand.name + " | " + text + '\n' << std::flush;
  }
  static void start(Hand& hand) {
    hand.again.reset();
    hand.process.emplace(hand.command, programs::Errors::output);
  }
  bool any_left() const {
    for (const Hand& hand : hands_)
      if (hand.process || hand.again) return true;
    return false;
  }

  /// Passes on what is said within a poll. Says if a signal has come.
  bool listen() {
    std::vector<pollfd> waits{{signals_.handle(), POLLIN, 0}};
    for (const Hand& hand : hands_)
      waits.push_back({hand.process ? hand.process->output() : -1, POLLIN, 0});
    ::poll(waits.data(), waits.size(), poll_milliseconds);
    for (std::size_t i = 0; i < hands_.size(); ++i)
      if (waits[i + 1].revents != 0) hear(hands_[i]);
    if (waits[0].revents == 0) return false;
    signalfd_siginfo taken;
    (void)!::read(signals_.handle(), &taken, sizeof taken);
    return true;
  }
  void hear(Hand& hand) {
    const bool over = !hand.process->read();
    while (const auto line = hand.process->next_line()) say(hand, *line);
    if (!over) return;
    const std::string how = hand.process->wait();
    hand.process.reset();
    well_ = well_ && how.empty();
    say(hand, how.empty() ? "has ended" : how);
    // A wrong configuration stays wrong.
    const bool is_hopeless = how == "ended with status 2" || how == "ended with status 127";
    if (on_end_ == OnEnd::restart && !is_hopeless && !ending_) hand.again = Clock::now() + pause;
    if (!hand.again && !ending_) deserted_ = true;
  }

  /// Starts again those whose time it is. False if somebody has gone for good.
  bool look_after() {
    for (Hand& hand : hands_)
      if (hand.again && *hand.again <= Clock::now()) {
        say(hand, "is started again");
        start(hand);
      }
    return !deserted_;
  }

  /// Asks all who are left to end, and waits. Says if they have ended well.
  bool end() {
    ending_ = true;
    well_ = true;
    for (Hand& hand : hands_) {
      hand.again.reset();
      if (hand.process) hand.process->signal(SIGTERM);
    }
    const auto deadline = Clock::now() + patience;
    // A second signal is from somebody who does not want to wait.
    while (any_left() && Clock::now() < deadline)
      if (listen()) break;
    for (Hand& hand : hands_)
      if (hand.process) say(hand, "does not end, and is killed");
    return well_ && !any_left();
  }

  const programs::Signals& signals_;
  const OnEnd on_end_;
  std::vector<Hand> hands_;
  bool deserted_ = false;
  bool ending_ = false;
  bool well_ = true;
};

}  // namespace testnet

#endif
