// The schema of the sample types, as tests/conformance/sample.proto has it.
#ifndef MIRBFT_TESTS_CONFORMANCE_SAMPLE_SCHEMA_HPP
#define MIRBFT_TESTS_CONFORMANCE_SAMPLE_SCHEMA_HPP

#include <mirbft/wire/schema.hpp>

#include "../wire/sample_types.hpp"

namespace sample {

inline mirbft::wire::Schema schema() {
  return mirbft::wire::schema<Numbers, Blobs, Empty, Lists, Optionals, Ping, Tree, Choice, Nested,
                              Configured, Wrapper, Templates>("sample.proto", {}, "sample.v1");
}

}  // namespace sample

#endif
