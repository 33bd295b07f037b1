// A template whose arguments are values, which compilers spell differently.
// expect: [mirbft] a template with arguments that are no types has no name on the wire: give it
// expect: a member `static constexpr std::string_view wire_name`
// max-errors: 2
#include <string_view>

#include <mirbft/wire/type_name.hpp>

template <unsigned size>
struct Window {};

std::string_view name_of_window() { return mirbft::wire::type_name<Window<3>>; }
