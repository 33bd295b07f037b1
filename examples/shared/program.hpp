// The frame of a program: its command line, and what its exit status says.
#ifndef MIRBFT_EXAMPLES_SHARED_PROGRAM_HPP
#define MIRBFT_EXAMPLES_SHARED_PROGRAM_HPP

#include <exception>
#include <iostream>
#include <utility>

#include <CLI/CLI.hpp>

#include <mirbft/types/errors.hpp>

namespace programs {

/// Reads the command line and returns what `run()` does. What is thrown becomes one line on the
/// standard error, and status 2 for wrong input, 1 for a job that failed.
template <class Run>
int run_program(const char* name, CLI::App& program, int argc, char** argv, Run&& run) {
  const auto fail = [name](const std::exception& error, int status) {
    std::cerr << name << ": " << error.what() << '\n';
    return status;
  };
  try {
    program.parse(argc, argv);
    return std::forward<Run>(run)();
  } catch (const CLI::Success& asked) {
    return program.exit(asked);
  } catch (const CLI::Error& error) {
    return fail(error, 2);
  } catch (const mirbft::ConfigError& error) {
    return fail(error, 2);
  } catch (const std::exception& error) {
    return fail(error, 1);
  }
}

}  // namespace programs

#endif
