#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/modules/interceptor/file.hpp>

#include "../../log/sample_log.hpp"

namespace mirbft::file_test {

TEST_CASE("the file interceptor records each list, and moves like any module") {
  const sample::TemporaryFile file;
  FileInterceptor made(file.path());
  FileInterceptor interceptor(std::move(made));
  interceptor.begin(NodeId(2), bytes_of("cluster"), sample::Types{});
  interceptor.intercept(slot::tracker, sample::List{sample::tick(1), sample::new_request(5, "x")});
  interceptor.intercept(slot::app, sample::List{sample::Measured{3, "here"}});
  interceptor.end();

  LogReader log(file.path());
  CHECK(log.node() == NodeId(2));
  CHECK(log.cluster().text() == "cluster");
  const LogPrinter printer(log);
  std::string text;
  while (const auto event = log.next())
    text += std::string(slot_names[event->slot.index()]) + ": " + printer.text(*event) + "\n";
  CHECK(text ==
        "tracker: now: 1\n"
        "tracker: request { client: 7 req_no: 5 data: \"x\" authenticator: 0x010203 } spread: 1\n"
        "app: degrees: 3 place: \"here\"\n");
}

TEST_CASE("each list has the time of its dispatch, by the clock of the one who records") {
  auto now = [time = std::uint64_t{0}]() mutable { return time += 1000; };
  const sample::TemporaryFile own;
  TimedFileInterceptor<decltype(now)> interceptor(own.path(), now);
  interceptor.begin(NodeId(2), {}, sample::Types{});
  interceptor.intercept(slot::tracker, sample::List{sample::tick(1), sample::tick(2)});
  interceptor.intercept(slot::app, sample::List{sample::tick(3)});
  LogReader log(own.path());
  std::vector<std::uint64_t> times;
  while (const auto event = log.next()) times.push_back(event->time);
  CHECK(times == std::vector<std::uint64_t>{1000, 1000, 2000});

  const sample::TemporaryFile file;
  const std::uint64_t before = SystemTime{}();
  FileInterceptor by_system(file.path());
  by_system.begin(NodeId(2), {}, sample::Types{});
  by_system.intercept(slot::tracker, sample::List{sample::tick(1)});
  const std::uint64_t recorded = LogReader(file.path()).next().value().time;
  CHECK(recorded >= before);
  CHECK(recorded <= SystemTime{}());
}

TEST_CASE("a file that cannot be the log is a configuration error") {
  CHECK_THROWS_WITH_AS(
      FileInterceptor("/nowhere/events.log"),
      "event log = /nowhere/events.log: cannot open: No such file or directory", ConfigError);
  CHECK_THROWS_WITH_AS(FileInterceptor("/tmp"), doctest::Contains("cannot open: Is a directory"),
                       ConfigError);
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  CHECK_THROWS_WITH_AS(
      FileInterceptor(file.path()),
      doctest::Contains("has content already: move it away or choose another name"), ConfigError);
}

TEST_CASE("a full disk fails the module with its reason") {
  FileInterceptor interceptor("/dev/full");
  CHECK_THROWS_WITH_AS(
      interceptor.begin(NodeId(1), {}, sample::Types{}),
      "the event log /dev/full: at byte 0: cannot write: No space left on device", ModuleFailure);
  CHECK_THROWS_AS(interceptor.intercept(slot::app, sample::List{sample::tick(1)}), ModuleFailure);
}

}  // namespace mirbft::file_test
