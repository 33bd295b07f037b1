#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <mirbft/log/printer.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/wire/encode.hpp>

#include "sample_log.hpp"

namespace mirbft::printer_test {

namespace {

/// A beginning that claims this schema and one event type, and one empty event of it.
void write_with_schema(const std::string& path, Bytes schema, std::string name) {
  const Bytes preamble = wire::encode(
      log_format::Preamble{NodeId(1), {}, std::move(schema), {{1000, 1, std::move(name)}}, {}});
  std::string content(log_format::prologue_size, '\0');
  log_format::store_prologue(reinterpret_cast<std::uint8_t*>(content.data()));
  const auto add = [&](log_format::Kind kind, ByteView block) {
    std::string header(log_format::BlockHeader::size, '\0');
    log_format::BlockHeader facts;
    facts.length = facts.plain_length = static_cast<std::uint32_t>(block.size());
    facts.kind = kind;
    facts.slots = 1;
    facts.types = log_format::type_bit(1000);
    facts.events = 1;
    facts.checksum = crc32c(block);
    facts.store(reinterpret_cast<std::uint8_t*>(header.data()));
    content += header + std::string(block.begin(), block.end());
  };
  add(log_format::Kind::preamble, preamble.view());
  add(log_format::Kind::lists, Bytes{0,    0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
                                     0,    0, 0, 0,  //
                                     0xe8, 3, 0, 0, 0, 0, 0, 0}.view());
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace

TEST_CASE("events are shown by the schema in their log alone") {
  const sample::TemporaryFile file;
  sample::write_log(file.path());
  LogReader log(file.path());
  const LogPrinter printer(log);
  const auto events = sample::read_all(log);

  CHECK(printer.text(events[0]) == "now: 1");
  CHECK(printer.text(events[1]) ==
        "request { client: 7 data: \"SET a 1\" authenticator: 0x010203 } spread: 1");
  CHECK(printer.text(events[4]) == "degrees: -40 place: \"Krak\\303\\263w\"");
  CHECK(printer.json(events[0]) == R"({"now":"1"})");
  CHECK(printer.json(events[1]) ==
        R"({"request":{"client":"7","req_no":"0","data":"U0VUIGEgMQ==","authenticator":"AQID"},)"
        R"("spread":1})");
  CHECK(printer.json(events[4]) == R"({"degrees":"-40","place":"Kraków"})");
}

TEST_CASE("differences are named field by field, from one event to the other") {
  const sample::TemporaryFile file;
  {
    LogWriter writer(file.path());
    writer.begin(NodeId(1), {}, sample::Types{});
    auto changed = sample::new_request(1, "\x01\x02");
    changed.spread = Spread::by_client;
    writer.append(slot::tracker,
                  sample::List{sample::new_request(0, "SET"), changed, sample::deliver(0, 1),
                               sample::deliver(4, 2)});
  }
  LogReader log(file.path());
  const LogPrinter printer(log);
  const auto events = sample::read_all(log);

  CHECK(printer.differences(events[0], events[0]).empty());
  CHECK(printer.differences(events[0], events[1]) ==
        "modified: request.req_no: 0 -> 1\n"
        "modified: request.data: \"SET\" -> 0x0102\n"
        "modified: spread: 1 -> 0\n");
  CHECK(printer.differences(events[2], events[3]) ==
        "modified: sn: 0 -> 4\n"
        "added: batch[1]: { req_no: 1 }\n");
}

TEST_CASE("a schema that is none is refused with a reason") {
  const sample::TemporaryFile file;
  write_with_schema(file.path(), Bytes("no schema"), "mirbft.v1.Measured");
  LogReader nonsense(file.path());
  CHECK_THROWS_WITH_AS(LogPrinter{nonsense},
                       doctest::Contains("its schema is no protobuf FileDescriptorSet"), LogError);

  google::protobuf::FileDescriptorSet files;
  files.add_file()->add_message_type()->add_field()->set_type_name("Missing");
  write_with_schema(file.path(), Bytes(files.SerializeAsString()), "mirbft.v1.Measured");
  LogReader unsound(file.path());
  CHECK_THROWS_WITH_AS(LogPrinter{unsound}, doctest::Contains("its schema is not sound"), LogError);

  google::protobuf::FileDescriptorSet many;
  auto* only = many.add_file();
  for (int i = 0; i < 5000; ++i) only->add_message_type()->set_name("M" + std::to_string(i));
  write_with_schema(file.path(), Bytes(many.SerializeAsString()), "M0");
  LogReader endless(file.path());
  CHECK_THROWS_WITH_AS(LogPrinter{endless}, doctest::Contains("its schema has more types"),
                       LogError);

  write_with_schema(file.path(), {}, "mirbft.v1.Measured");
  LogReader empty(file.path());
  const LogPrinter printer(empty);
  const auto event = empty.next();
  REQUIRE(event);
  CHECK_THROWS_WITH_AS(printer.text(*event),
                       doctest::Contains("the log's schema lacks mirbft.v1.Measured"), LogError);
}

}  // namespace mirbft::printer_test
