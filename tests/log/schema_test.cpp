#include <doctest/doctest.h>

#include <google/protobuf/descriptor.pb.h>

#include <mirbft/events/hasher.hpp>
#include <mirbft/log/schema.hpp>

#include "sample_log.hpp"

namespace schema_test {

/// An origin of a user's own.
struct Guess {
  static constexpr auto module = mirbft::slot::protocol;
  static constexpr std::uint32_t number = 1001;

  std::uint32_t attempt = 0;
};

}  // namespace schema_test

BOOST_HANA_ADAPT_STRUCT(schema_test::Guess, attempt);

using namespace mirbft;
using schema_test::Guess;

TEST_CASE("the schema of a log defines every event's message and what that contains") {
  const Bytes stored = log_format::schema_of<NewRequest, sample::Measured, HashRequest<Guess>>();
  google::protobuf::FileDescriptorSet files;
  REQUIRE(files.ParseFromArray(stored.data(), static_cast<int>(stored.size())));
  REQUIRE(files.file_size() == 1);

  google::protobuf::DescriptorPool pool;
  REQUIRE(pool.BuildFile(files.file(0)));
  for (const std::string& name :
       {log_format::message_name<NewRequest>(), log_format::message_name<sample::Measured>(),
        log_format::message_name<HashRequest<Guess>>(), log_format::message_name<Request>()}) {
    CAPTURE(name);
    CHECK(pool.FindMessageTypeByName(name));
  }
  CHECK(pool.FindMessageTypeByName(log_format::message_name<Request>())->FindFieldByName("req_no"));
}
