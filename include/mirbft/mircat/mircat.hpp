// mircat: sees, searches, compares, replays and draws what a Node has recorded.
//
//   using Replica = mirbft::Node<…>;  // your own
//   int main(int argc, char** argv) { return mirbft::mircat::run<Replica>(argc, argv); }
//
// A log carries its own schema, so that most commands need nothing of the Node: they read any log.
#ifndef MIRBFT_MIRCAT_MIRCAT_HPP
#define MIRBFT_MIRCAT_MIRCAT_HPP

#include <exception>
#include <tuple>

#include <mirbft/mircat/cat.hpp>
#include <mirbft/mircat/command.hpp>
#include <mirbft/mircat/command_line.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/diff.hpp>
#include <mirbft/mircat/export.hpp>
#include <mirbft/mircat/grep.hpp>
#include <mirbft/mircat/ls.hpp>
#include <mirbft/mircat/node_commands.hpp>
#include <mirbft/mircat/report.hpp>
#include <mirbft/mircat/select.hpp>
#include <mirbft/mircat/stat.hpp>
#include <mirbft/mircat/verify.hpp>
#include <mirbft/mircat/wal.hpp>

namespace mirbft::mircat {

/// All commands, in the order of the help: adding one is a line.
template <class Node>
using Commands = std::tuple<  //
    Ls,                       //
    Stat,                     //
    Cat,                      //
    Grep,                     //
    Select,                   //
    Verify,                   //
    Diff,                     //
    Replay<Node>,             //
    Step<Node>,               //
    WalLs,                    //
    WalVerify,                //
    WalRepair,                //
    Export,                   //
    Report>;

namespace detail {

/// What was good before an error is worth seeing, where the output still takes it.
inline void show_rest(Console& console) {
  try {
    console.out().clear();
    console.out().flush();
  } catch (const ClosedPipe&) {
  } catch (const std::exception&) {
  }
}

/// What comes of a job: its status, or one line on what went wrong.
template <class Job>
int guarded(Console& console, Job&& job) {
  try {
    const int status = job();
    console.out().flush();
    return status;
  } catch (const ClosedPipe&) {
    return status::ok;
  } catch (const std::exception& error) {
    show_rest(console);
    console.err() << "mircat: " << error.what() << '\n';
    return status::unusable;
  }
}

}  // namespace detail

/// All of a program: reads the command line, does what it says and returns the exit status.
template <class Node>
int run(int argc, char** argv) {
  StandardConsole standard;
  Console& console = standard.get();
  return detail::guarded(console, [&] {
    Commands<Node> commands;
    CommandLine line;
    std::apply([&](auto&... command) { (line.add(command), ...); }, commands);
    if (const auto done = line.parse(argc, argv, console)) return *done;
    int result = status::ok;
    const auto run_if_chosen = [&]<class Command>(Command& command) {
      if (line.is_chosen(Command::name)) result = command.run(console);
    };
    std::apply([&](auto&... command) { (run_if_chosen(command), ...); }, commands);
    return result;
  });
}

}  // namespace mirbft::mircat

#endif
