#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <mirbft/log/reader.hpp>
#include <mirbft/log/writer.hpp>

#include "sample_log.hpp"

using namespace mirbft;

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
