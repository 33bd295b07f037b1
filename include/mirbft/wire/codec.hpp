// Reflected structs to protobuf bytes and back.
//
//   wire::Bytes bytes = wire::encode(event);
//   std::optional<Event> event = wire::decode<Event>(bytes, wire::Form::canonical);
//
// The number of a field is the place of its member, from 1, so members are only ever appended.
// Which C++ type becomes which protobuf type is said in kind.hpp; schema.hpp prints the result.
#ifndef MIRBFT_WIRE_CODEC_HPP
#define MIRBFT_WIRE_CODEC_HPP

#include <mirbft/wire/decode.hpp>
#include <mirbft/wire/encode.hpp>

#endif
