#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/writer.hpp>

#include "sample_log.hpp"

namespace mirbft::writer_test {

TEST_CASE("what is written is read again, with index, slot, type and every field") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());

  LogReader log(file.path());
  CHECK(log.node() == NodeId(3));
  CHECK(log.cluster().text() == "sample");
  REQUIRE(log.types().size() == 4);
  CHECK(log.types().back().number == 1000);
  CHECK(log.types().back().name == "mirbft.v1.Measured");
  CHECK(log.types().back().slots == (slot::app | slot::protocol).bits());

  const auto events = sample::read_all(log);
  REQUIRE(events.size() == 7);
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].index == i);
  CHECK(events[2].slot == slot::tracker);
  CHECK(events[3].slot == slot::protocol);
  CHECK(events[6].slot == slot::store);
  CHECK(events[2].time == 100);
  CHECK(events[3].time == 250);
  CHECK(events[6].time == 300);
  CHECK(log.torn_bytes() == 0);

  const auto request = events[1].as<NewRequest>();
  REQUIRE(request);
  CHECK(request->request == sample::new_request(0, "SET a 1").request);
  CHECK(request->spread == Spread::by_replica);

  const auto measured = log.decode<sample::Measured>(events[4]);
  CHECK(measured.degrees == -40);
  CHECK(measured.place == "Kraków");

  CHECK(log.decode<Deliver>(events[6]).batch == sample::deliver(5, 2).batch);
  CHECK_FALSE(events[6].as<Tick>());
}

TEST_CASE("the same events make the same bytes") {
  const sample::TemporaryFile one;
  const sample::TemporaryFile other;
  sample::write_log(one.path());
  sample::write_log(other.path());
  CHECK(one.content() == other.content());
}

TEST_CASE("an empty list leaves no trace") {
  const sample::TemporaryFile file;
  LogWriter writer(file.path());
  writer.begin(NodeId(1), {}, sample::Types{});
  const std::size_t before = file.content().size();
  writer.append(slot::app, sample::List{});
  CHECK(file.content().size() == before);
}

TEST_CASE("a list is in the file when append returns") {
  const sample::TemporaryFile file;
  LogWriter writer(file.path());
  writer.begin(NodeId(1), {}, sample::Types{});
  LogReader reader(file.path());
  CHECK_FALSE(reader.next());
  for (std::int64_t now = 0; now < 3; ++now) {
    writer.append(slot::tracker, sample::List{sample::tick(now)});
    const auto event = reader.next();
    REQUIRE(event);
    CHECK(event->as<Tick>()->now.count() == now);
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("a list longer than a block is cut, an event longer than a block is not") {
  const sample::TemporaryFile file;
  const std::string long_text(log_format::block_target / 4, 'x');
  const std::string longer_text(5 * log_format::block_target, 'y');
  {
    LogWriter writer(file.path());
    writer.begin(NodeId(1), {}, sample::Types{});
    std::vector<sample::Event> events(10, sample::new_request(1, long_text.c_str()));
    events.push_back(sample::new_request(2, longer_text.c_str()));
    events.push_back(sample::tick(3));
    writer.append(slot::tracker, sample::List(events));
    writer.append(slot::app, sample::List{sample::tick(4)});
  }
  CHECK(sample::block_ends(file.path()).size() == 1 + 3 + 1 + 1);

  LogReader reader(file.path());
  const auto events = sample::read_all(reader);
  REQUIRE(events.size() == 13);
  CHECK(events[9].as<NewRequest>()->request.data.text() == long_text);
  CHECK(events[10].as<NewRequest>()->request.data.text() == longer_text);
  CHECK(events[11].slot == slot::tracker);
  CHECK(events[12].slot == slot::app);
  CHECK(events[12].index == 12);
}

TEST_CASE("an earlier log is not written over") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  const std::string before = file.content();
  CHECK_THROWS_WITH_AS(LogWriter(file.path()), doctest::Contains("has content already"), LogError);
  CHECK(file.content() == before);
}

TEST_CASE("a file that refuses a write is named with the place and the reason") {
  LogWriter writer("/dev/full");
  CHECK_THROWS_WITH_AS(writer.begin(NodeId(1), {}, sample::Types{}),
                       "/dev/full: at byte 0: cannot write: No space left on device", LogError);
}

namespace {

/// Writes lists of three ticks for ever, and the number of each list to `done` when it is written.
[[noreturn]] void write_until_killed(const std::string& path, int done) {
  LogWriter writer(path);
  writer.begin(NodeId(1), {}, sample::Types{});
  for (std::int64_t list = 0;; ++list) {
    writer.append(slot::tracker,
                  sample::List{sample::tick(list), sample::tick(list), sample::tick(list)});
    if (::write(done, &list, sizeof list) != sizeof list) ::_exit(1);
  }
}

}  // namespace

TEST_CASE("a killed process loses nothing that append had returned from") {
  const sample::TemporaryFile file;
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) write_until_killed(file.path(), pipe[1]);
  ::close(pipe[1]);

  std::int64_t written = -1;
  while (written < 200) REQUIRE(::read(pipe[0], &written, sizeof written) == sizeof written);
  REQUIRE(::kill(child, SIGKILL) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  while (::read(pipe[0], &written, sizeof written) == sizeof written) continue;
  ::close(pipe[0]);

  LogReader log(file.path());
  const auto events = sample::read_all(log);
  CHECK(events.size() >= 3 * static_cast<std::size_t>(written + 1));
  CHECK(events.size() % 3 == 0);
  for (const LogEvent& event : events)
    REQUIRE(event.as<Tick>()->now.count() == static_cast<std::int64_t>(event.index / 3));
}

namespace {

std::size_t blocks_of(const sample::TemporaryFile& file) {
  return sample::block_ends(file.path()).size() - 1;
}

}  // namespace

TEST_CASE("lists that are gathered are written together when the first has waited long enough") {
  const sample::TemporaryFile file;
  LogOptions options;
  options.gather = std::chrono::nanoseconds(100);
  {
    LogWriter log(file.path(), options);
    log.begin(NodeId(1), {}, sample::Types{});
    log.append(slot::tracker, sample::List{sample::tick(0)}, 1000);
    log.append(slot::app, sample::List{}, 1010);
    log.append(slot::app, sample::List{sample::tick(1)}, 1099);
    CHECK(blocks_of(file) == 0);
    log.append(slot::store, sample::List{sample::deliver(1, 1)}, 1100);
    CHECK(blocks_of(file) == 1);
    log.append(slot::app, sample::List{sample::tick(2)}, 1101);
    CHECK(blocks_of(file) == 1);
    log.flush();
    CHECK(blocks_of(file) == 2);
    log.flush();
    CHECK(blocks_of(file) == 2);
    log.append(slot::app, sample::List{sample::tick(3)}, 1102);
    log.append(slot::app, sample::List{sample::tick(4)}, 900);  // The clock was set back.
    CHECK(blocks_of(file) == 3);
    log.append(slot::app, sample::List{sample::tick(5)}, 901);
  }
  CHECK(blocks_of(file) == 4);

  log_format::BlockReader blocks(LogFile::open(file.path()));
  REQUIRE(blocks.next());
  const auto first = blocks.next();
  REQUIRE(first);
  CHECK(first->header.events == 3);
  CHECK(first->header.first == 0);
  CHECK(first->header.earliest == 1000);
  CHECK(first->header.latest == 1100);
  CHECK(first->header.slots == (slot::tracker | slot::app | slot::store).bits());
  CHECK(first->header.types ==
        (log_format::type_bit(Tick::number) | log_format::type_bit(Deliver::number)));
  REQUIRE(blocks.next());
  const auto third = blocks.next();
  REQUIRE(third);
  CHECK(third->header.earliest == 900);
  CHECK(third->header.latest == 1102);

  LogReader log(file.path());
  const auto events = sample::read_all(log);
  REQUIRE(events.size() == 7);
  CHECK(events[1].slot == slot::app);
  CHECK(events[1].time == 1099);
  CHECK(events[2].slot == slot::store);
  CHECK(events[6].as<Tick>()->now.count() == 5);
}

TEST_CASE("what is gathered is written when a block is full, and when its writer moves on") {
  const sample::TemporaryFile file;
  LogOptions options;
  options.gather = std::chrono::hours(1);
  LogWriter made(file.path(), options);
  made.begin(NodeId(1), {}, sample::Types{});
  made.append(slot::app, sample::List{sample::tick(0)});
  CHECK(blocks_of(file) == 0);
  {
    LogWriter log(std::move(made));
    const std::string half(log_format::block_target / 2, 'x');
    log.append(slot::app, sample::List{sample::new_request(1, half.c_str())});
    CHECK(blocks_of(file) == 0);
    log.append(slot::app, sample::List{sample::new_request(2, half.c_str()), sample::tick(1)});
    CHECK(blocks_of(file) == 1);
  }
  CHECK(blocks_of(file) == 2);
  LogReader log(file.path());
  CHECK(sample::read_all(log).size() == 4);
}

namespace {

/// A list that fails when half of it is seen.
struct FailingList {
  template <class Look>
  void for_each(Look&& look) const {
    look(sample::tick(1));
    throw std::runtime_error("half seen");
  }
};

}  // namespace

TEST_CASE("a list that was not seen to its end leaves no trace") {
  const sample::TemporaryFile file;
  LogWriter log(file.path());
  log.begin(NodeId(1), {}, sample::Types{});
  log.append(slot::app, sample::List{sample::tick(0)});
  CHECK_THROWS_AS(log.append(slot::app, FailingList{}), std::runtime_error);
  log.flush();
  log.append(slot::app, sample::List{sample::tick(2)});
  LogReader reader(file.path());
  const auto events = sample::read_all(reader);
  REQUIRE(events.size() == 2);
  CHECK(events[1].as<Tick>()->now.count() == 2);
}

}  // namespace mirbft::writer_test
