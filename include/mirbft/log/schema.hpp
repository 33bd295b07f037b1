// What an event log says about its events, so that it can be read without their C++ types.
#ifndef MIRBFT_LOG_SCHEMA_HPP
#define MIRBFT_LOG_SCHEMA_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include <google/protobuf/descriptor.pb.h>

#include <mirbft/types/bytes.hpp>
#include <mirbft/wire/descriptor.hpp>
#include <mirbft/wire/schema.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft::log_format {

/// The full name of an event's message in the schema.
template <class E>
const std::string& message_name() {
  static const std::string name =
      std::string(wire::default_package) + '.' + std::string(wire::type_name<E>);
  return name;
}

/// A serialized google.protobuf.FileDescriptorSet: the messages of these events and of all that
/// they contain, in one file.
template <class... Es>
Bytes schema_of() {
  google::protobuf::FileDescriptorSet files;
  *files.add_file() = wire::descriptor(wire::schema<Es...>("events.proto"));
  return Bytes::filled(files.ByteSizeLong(), [&](std::uint8_t* to) {
    files.SerializeWithCachedSizesToArray(to);
  });
}

}  // namespace mirbft::log_format

#endif
