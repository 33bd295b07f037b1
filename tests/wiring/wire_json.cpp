// What JSON cannot show.
// expect: [mirbft] a value of this type cannot be shown as JSON: use numbers, enums, ids,
// expect: durations,
// max-errors: 1
#include <memory>
#include <string>

#include <mirbft/wire/json.hpp>

std::string text_of(const std::unique_ptr<int>& pointer) { return mirbft::wire::to_json(pointer); }
