// Reflection of templates: what BOOST_HANA_ADAPT_STRUCT does for a struct, for all instances.
#ifndef MIRBFT_TYPES_REFLECT_HPP
#define MIRBFT_TYPES_REFLECT_HPP

#include <boost/hana/adapt_struct.hpp>
#include <boost/preprocessor/seq/for_each_i.hpp>
#include <boost/preprocessor/seq/enum.hpp>
#include <boost/preprocessor/seq/transform.hpp>
#include <boost/preprocessor/punctuation/comma_if.hpp>
#include <boost/preprocessor/stringize.hpp>
#include <boost/preprocessor/variadic/to_seq.hpp>

#define MIRBFT_DETAIL_NAME(r, data, member) BOOST_PP_STRINGIZE(member)
#define MIRBFT_DETAIL_ACCESSOR(r, Type, index, member)                                        \
  BOOST_PP_COMMA_IF(index)                                                                    \
  ::boost::hana::make_pair(                                                                   \
      ::boost::hana::struct_detail::prepare_member_name<index, member_names>(),               \
      ::boost::hana::struct_detail::member_ptr<decltype(&Type::member), &Type::member>{})

/// Reflects the members of `Name<Argument>` for every `Argument`; in the global namespace:
///
///     MIRBFT_ADAPT_TEMPLATE(mirbft::HashResult, digest, origin)
#define MIRBFT_ADAPT_TEMPLATE(Name, ...)                                                      \
  namespace boost::hana {                                                                     \
  template <class Argument>                                                                   \
  struct accessors_impl<Name<Argument>> {                                                     \
    using Adapted = Name<Argument>;                                                           \
    template <typename...>                                                                    \
    static constexpr auto apply() {                                                           \
      struct member_names {                                                                   \
        static constexpr auto get() {                                                         \
          return ::boost::hana::make_tuple(BOOST_PP_SEQ_ENUM(BOOST_PP_SEQ_TRANSFORM(          \
              MIRBFT_DETAIL_NAME, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))));                \
        }                                                                                     \
      };                                                                                      \
      return ::boost::hana::make_tuple(BOOST_PP_SEQ_FOR_EACH_I(                               \
          MIRBFT_DETAIL_ACCESSOR, Adapted, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__)));           \
    }                                                                                         \
  };                                                                                          \
  }                                                                                           \
  static_assert(true, "a semicolon follows")

#endif
