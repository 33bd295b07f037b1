// A folder for as long as a program runs.
#ifndef MIRBFT_EXAMPLES_SHARED_TEMPORARY_FOLDER_HPP
#define MIRBFT_EXAMPLES_SHARED_TEMPORARY_FOLDER_HPP

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace programs {

/// New, this user's alone, and removed with all that is in it.
class TemporaryFolder {
 public:
  /// Its name begins so. Throws std::system_error.
  explicit TemporaryFolder(const std::filesystem::path& begin) {
    std::string name = begin.string() + "-XXXXXX";
    if (!::mkdtemp(name.data()))
      throw std::system_error(errno, std::generic_category(), "no temporary directory " + name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace programs

#endif
