// Events of two logs side by side: those that should be alike in one row.
#ifndef MIRBFT_MIRCAT_SIDE_BY_SIDE_HPP
#define MIRBFT_MIRCAT_SIDE_BY_SIDE_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/mircat/brief.hpp>
#include <mirbft/mircat/console.hpp>
#include <mirbft/mircat/found.hpp>

namespace mirbft::mircat {

/// One row. An event that only one of the logs has stands alone.
struct PairReport {
  std::string slot;
  std::optional<std::uint64_t> left_index;
  std::optional<std::uint64_t> right_index;
  std::optional<std::string> left;
  std::optional<std::string> right;
};

/// Puts the events of the left log into rows, then those of the right one beside them.
class SideBySide {
 public:
  void add(bool is_left, const Found& found) {
    const std::string key = identity(found);
    is_left ? add_left(key, found) : add_right(key, found);
  }

  std::vector<PairReport> take() && {
    std::vector<PairReport> made;
    for (Row& row : rows_) made.push_back(std::move(row.pair));
    return made;
  }

 private:
  struct Row {
    std::string key;
    PairReport pair;
  };

  void add_left(const std::string& key, const Found& found) {
    rows_.push_back({key, PairReport{std::string(slot_name(found.event)), found.event.index,
                                     std::nullopt, brief(found), std::nullopt}});
  }

  void add_right(const std::string& key, const Found& found) {
    const auto fits = [&](const Row& row) { return row.key == key && !row.pair.right; };
    auto row = std::ranges::find_if(rows_, fits);
    if (row == rows_.end())
      row = rows_.insert(rows_.begin() + static_cast<std::ptrdiff_t>(after_last_right_),
                         Row{key, PairReport{std::string(slot_name(found.event)), std::nullopt,
                                             std::nullopt, std::nullopt, std::nullopt}});
    row->pair.right_index = found.event.index;
    row->pair.right = brief(found);
    after_last_right_ = static_cast<std::size_t>(row - rows_.begin()) + 1;
  }

  std::vector<Row> rows_;
  /// Where an event of the right log goes that has no partner.
  std::size_t after_last_right_ = 0;
};

/// A row where both say the same, else one for each.
inline void print_pairs(Console& console, const std::vector<PairReport>& pairs) {
  std::ostream& out = console.out();
  const auto column = [](const std::optional<std::uint64_t>& index) {
    constexpr std::size_t width = 8;
    const std::string text = index ? std::to_string(*index) : "-";
    return std::string(width - std::min(width, text.size()), ' ') + text;
  };
  for (const PairReport& pair : pairs) {
    const std::string place = column(pair.left_index) + ' ' + column(pair.right_index) + "  " +
                              pair.slot + ' ';
    if (pair.left == pair.right) {
      out << "  = " << place << *pair.left << '\n';
    } else {
      out << "  ! " << place << console.paint(Ink::red, pair.left.value_or("-")) << '\n'
          << "    " << std::string(place.size(), ' ') << console.paint(Ink::red, pair.right.value_or("-"))
          << '\n';
    }
  }
}

}  // namespace mirbft::mircat

BOOST_HANA_ADAPT_STRUCT(mirbft::mircat::PairReport, slot, left_index, right_index, left, right);

#endif
