// Whole files at once.
#ifndef MIRBFT_EXAMPLES_SHARED_TEXT_FILE_HPP
#define MIRBFT_EXAMPLES_SHARED_TEXT_FILE_HPP

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "process.hpp"

namespace programs {

/// Who may read a file that is written.
enum class Readers : mode_t { all = 0644, owner = 0600 };

/// Makes a file, or empties the one that is there, and writes the text. Throws std::system_error.
inline void write_file(const std::string& path, std::string_view text,
                       Readers readers = Readers::all) {
  const Handle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                           static_cast<mode_t>(readers)));
  const auto require = [&](bool holds) {
    if (!holds) throw std::system_error(errno, std::generic_category(), "cannot write " + path);
  };
  require(file.get() >= 0 && ::fchmod(file.get(), static_cast<mode_t>(readers)) == 0);
  while (!text.empty()) {
    const ssize_t done = ::write(file.get(), text.data(), text.size());
    require(done > 0);
    text.remove_prefix(static_cast<std::size_t>(done));
  }
}

}  // namespace programs

#endif
