// Where a command writes what somebody will open: a file, or the standard output.
#ifndef MIRBFT_MIRCAT_OUTPUT_HPP
#define MIRBFT_MIRCAT_OUTPUT_HPP

#include <fstream>
#include <ios>
#include <ostream>
#include <string>
#include <utility>

#include <mirbft/mircat/console.hpp>
#include <mirbft/types/errors.hpp>

namespace mirbft::mircat {

/// A file by its name, or the console's standard output by "-". Throws ConfigError where nothing
/// can be written.
class Output {
 public:
  Output(Console& console, std::string path) : console_(console), path_(std::move(path)) {
    if (path_ == "-") return;
    file_.open(path_, std::ios::binary | std::ios::trunc);
    if (!file_) refuse();
  }

  std::ostream& stream() { return path_ == "-" ? console_.out() : file_; }

  /// Everything is written; to be called at the end.
  void close() {
    if (path_ == "-") return;
    file_.close();
    if (!file_) refuse();
  }

 private:
  [[noreturn]] void refuse() const {
    throw ConfigError("output", path_, "cannot be written: name a file in a folder that is there "
                                       "and has room, or - for standard output");
  }

  Console& console_;
  std::string path_;
  std::ofstream file_;
};

}  // namespace mirbft::mircat

#endif
