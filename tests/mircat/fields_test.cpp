#include <mirbft/mircat/fields.hpp>

#include <doctest/doctest.h>

#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <mirbft/types/errors.hpp>

namespace mirbft::fields_test {

using namespace mirbft::mircat;

namespace {

void add_field(google::protobuf::DescriptorProto& message, int number, const std::string& type) {
  auto& field = *message.add_field();
  field.set_name("field" + std::to_string(number));
  field.set_number(number);
  field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  if (type.empty()) return field.set_type(google::protobuf::FieldDescriptorProto::TYPE_UINT64);
  field.set_type(google::protobuf::FieldDescriptorProto::TYPE_MESSAGE);
  field.set_type_name("." + type);
}

/// `levels` messages, each but the last with `fields` fields of the next.
class Levels {
 public:
  Levels(int levels, int fields) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("levels.proto");
    file.set_syntax("proto3");
    for (int level = 0; level < levels; ++level) {
      auto& message = *file.add_message_type();
      message.set_name("Level" + std::to_string(level));
      if (level + 1 == levels) add_field(message, 1, "");
      for (int field = 1; level + 1 < levels && field <= fields; ++field)
        add_field(message, field, "Level" + std::to_string(level + 1));
    }
    top_ = pool_.BuildFile(file)->message_type(0);
  }

  std::size_t numbers() const {
    return field_paths(*top_, [](const FieldPath& path) { return !path.back()->message_type(); })
        .size();
  }

 private:
  google::protobuf::DescriptorPool pool_;
  const google::protobuf::Descriptor* top_ = nullptr;
};

}  // namespace

TEST_CASE("All paths to a field are found") {
  CHECK(Levels(1, 2).numbers() == 1);
  CHECK(Levels(4, 2).numbers() == 8);
  CHECK(Levels(60, 1).numbers() == 1);
}

TEST_CASE("A schema with too many paths, or too long ones, is refused and not walked through") {
  CHECK_THROWS_AS(Levels(40, 2).numbers(), ConfigError);
  CHECK_THROWS_AS(Levels(1000, 1).numbers(), ConfigError);
  CHECK_THROWS_WITH(Levels(20, 2).numbers(),
                    "schema = Level0: its messages contain one another in more than 100000 ways, "
                    "or more than 64 deep: that is no log of a sound program, record it anew");
}

}  // namespace mirbft::fields_test
