// Brings a directory of segments, in which a crash may have torn the last write, in order.
#ifndef MIRBFT_MODULES_FILES_SEGMENT_RECOVERY_HPP
#define MIRBFT_MODULES_FILES_SEGMENT_RECOVERY_HPP

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <mirbft/modules/files/segment_examination.hpp>
#include <mirbft/modules/files/segment_format.hpp>
#include <mirbft/modules/files/segment_scan.hpp>
#include <mirbft/types/bytes.hpp>

namespace mirbft::segments {

/// Where the last torn tail is kept, for people to look at.
inline constexpr const char* torn_copy = "torn-tail";

/// Writes `bytes` to a file of this name, in place of one that may be there.
template <class Files>
void keep_copy(Files& files, const std::string& name, ByteView bytes) {
  const std::string draft = name + ".new";
  for (const std::string& other : files.list())
    if (other == draft) files.remove(draft);
  auto copy = files.create(draft, bytes.size());
  copy.write(0, bytes);
  copy.sync();
  files.rename(draft, name);
  files.sync();
}

/// Ends a segment whose successor is durable.
template <class File>
void write_seal(Segment<File>& segment, const Scan& end) {
  std::vector<std::uint8_t> bytes;
  store_record(bytes, segment.header.salt, {Kind::seal, 0, end.next_index, end.next_index, {}}, {});
  segment.file.write(end.end, bytes);
  segment.file.sync();
}

/// Makes what was examined durable as it was read, and free of what is not to be there: a torn
/// tail, of which it keeps a copy, and segments that were to be removed.
///
/// What was read may have come from the memory of the operating system, even where the last sync
/// has failed. So what is not known to be durable is written again: the last group, and the seal
/// before an empty segment.
template <class Files>
void mend(Files& files, Examination<typename Files::File>& found) {
  if (!found.segments.empty()) {
    const auto last = std::prev(found.segments.end());
    const Scan& end = found.scans.at(last->first);
    if (found.is_torn()) {
      keep_copy(files, torn_copy,
                ByteView(found.newest).subspan(end.end, found.torn_end - end.end));
      std::fill(found.newest.begin() + static_cast<std::ptrdiff_t>(end.end),
                found.newest.begin() + static_cast<std::ptrdiff_t>(found.torn_end),
                std::uint8_t{0});
    }
    last->second.file.write(
        end.group, ByteView(found.newest).subspan(end.group, found.torn_end - end.group));
    last->second.file.sync();
    if (end.is_empty() && last != found.segments.begin()) {
      const auto before = std::prev(last);
      write_seal(before->second, found.scans.at(before->first));
    }
  }
  for (const std::string& name : found.leftovers) files.remove(name);
  files.sync();
}

}  // namespace mirbft::segments

#endif
