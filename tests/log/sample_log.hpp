// Events, lists and files that the tests of the event log share.
#ifndef MIRBFT_TESTS_LOG_SAMPLE_LOG_HPP
#define MIRBFT_TESTS_LOG_SAMPLE_LOG_HPP

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

#include <boost/hana/adapt_struct.hpp>

#include <mirbft/events/event.hpp>
#include <mirbft/events/node.hpp>
#include <mirbft/events/store.hpp>
#include <mirbft/events/tracker.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/log/writer.hpp>

namespace sample {

/// An event of a user's own.
struct Measured {
  static constexpr auto destination = mirbft::slot::app | mirbft::slot::protocol;
  static constexpr std::uint32_t number = 1000;

  std::int64_t degrees = 0;
  std::string place;
};

using Types = mirbft::events<mirbft::Tick, mirbft::NewRequest, mirbft::Deliver, Measured>;
using Event = std::variant<mirbft::Tick, mirbft::NewRequest, mirbft::Deliver, Measured>;

/// What the engine shows to an Interceptor.
class List {
 public:
  List(std::initializer_list<Event> events) : events_(events) {}
  explicit List(std::vector<Event> events) : events_(std::move(events)) {}

  std::size_t size() const { return events_.size(); }
  template <class Look>
  void for_each(Look&& look) const {
    for (const Event& event : events_) std::visit(look, event);
  }

 private:
  std::vector<Event> events_;
};

inline mirbft::Tick tick(std::int64_t now) { return {std::chrono::nanoseconds(now)}; }

inline mirbft::NewRequest new_request(std::uint64_t req_no, const char* data) {
  return {{mirbft::ClientId(7), mirbft::ReqNo(req_no), mirbft::Bytes(data), mirbft::Bytes{1, 2, 3}},
          mirbft::Spread::by_replica};
}

inline mirbft::Deliver deliver(std::uint64_t sn, std::size_t requests) {
  std::vector<mirbft::RequestRef> batch(requests);
  for (std::size_t i = 0; i < requests; ++i) batch[i].req_no = mirbft::ReqNo(i);
  return {mirbft::SeqNr(sn), mirbft::Batch(std::move(batch))};
}

/// A name of a file that does not exist yet; the file is gone at the end.
class TemporaryFile {
 public:
  TemporaryFile() {
    static int count = 0;
    const auto folder = std::filesystem::temp_directory_path();
    path_ = folder / ("mirbft-log-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::filesystem::remove_all(path_); }

  std::string path() const { return path_.string(); }

  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
  }

 private:
  std::filesystem::path path_;
};

/// A log of three lists, seven events.
inline void write_log(const std::string& path) {
  mirbft::LogWriter log(path);
  log.begin(mirbft::NodeId(3), mirbft::bytes_of("sample"), Types{});
  log.append(mirbft::slot::tracker, List{tick(1), new_request(0, "SET a 1"), tick(2)}, 100);
  log.append(mirbft::slot::protocol, List{tick(1), Measured{-40, "Kraków"}, tick(2)}, 250);
  log.append(mirbft::slot::store, List{deliver(5, 2)}, 300);
}

inline std::vector<mirbft::LogEvent> read_all(mirbft::LogReader& log) {
  std::vector<mirbft::LogEvent> events;
  while (auto event = log.next()) events.push_back(std::move(*event));
  return events;
}

/// Where each block of a log ends; the first is the preamble.
inline std::vector<std::uint64_t> block_ends(const std::string& path) {
  std::vector<std::uint64_t> ends;
  mirbft::log_format::BlockReader blocks(mirbft::LogFile::open(path));
  while (const auto block = blocks.next())
    ends.push_back(block->offset + mirbft::log_format::BlockHeader::size + block->header.length);
  return ends;
}

}  // namespace sample

BOOST_HANA_ADAPT_STRUCT(sample::Measured, degrees, place);

#endif
