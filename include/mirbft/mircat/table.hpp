// Rows in columns that are as wide as they must be.
#ifndef MIRBFT_MIRCAT_TABLE_HPP
#define MIRBFT_MIRCAT_TABLE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <mirbft/mircat/console.hpp>

namespace mirbft::mircat {

/// A table of texts. A column is aligned to the right if its title says so, by a blank in front.
class Table {
 public:
  explicit Table(std::vector<std::string> titles) { add(std::move(titles)); }

  /// As many texts as there are titles.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  void print(Console& console) const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_)
      for (std::size_t place = 0; place < row.size(); ++place)
        widths[place] = std::max(widths[place], row[place].size());
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t place = 0; place < row.size(); ++place) {
        const std::string gap(widths[place] - row[place].size(), ' ');
        const bool to_right = rows_.front()[place].starts_with(' ');
        line += (place == 0 ? "" : "  ") + (to_right ? gap + row[place] : row[place] + gap);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      console.out() << (&row == &rows_.front() ? console.paint(Ink::bold, line) : line) << '\n';
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "3.2 MiB"; below a KiB the number alone.
inline std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes);
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
  return text.data();
}

}  // namespace mirbft::mircat

#endif
