// The protobuf schema of C++ types, as data. proto_text.hpp prints it, descriptor.hpp turns it
// into protobuf's own description.
#ifndef MIRBFT_WIRE_SCHEMA_HPP
#define MIRBFT_WIRE_SCHEMA_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mirbft/wire/choice.hpp>
#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft::wire {

/// How often a field may be there.
enum class Label : std::uint8_t { plain, optional, repeated, alternative };

/// One field of a message.
struct FieldSchema {
  std::string name;
  std::uint32_t number = 0;
  std::string type;  ///< a scalar type of protobuf, or a message's name with its package
  Kind kind = Kind::unknown;
  Label label = Label::plain;
  std::size_t size = 0;  ///< bytes of a number; length of a byte string that has only one
  std::string note;      ///< what the type does not say, for readers
};

/// One message, made of a struct or a variant.
struct MessageSchema {
  std::string name;
  std::string package;
  std::vector<FieldSchema> fields;
  bool needs_choice = false;   ///< a variant, which always holds something
  const void* type = nullptr;  ///< one value for each C++ type

  std::string full_name() const { return package + '.' + name; }
};

/// One .proto file.
struct Schema {
  std::string file;
  std::string package;
  std::vector<MessageSchema> messages;
  std::vector<Schema> imports;

  /// The message of this name, here or in an import; null if there is none.
  const MessageSchema* find(std::string_view name) const {
    for (const MessageSchema& message : messages) {
      if (message.name == name) return &message;
    }
    for (const Schema& import : imports) {
      if (const MessageSchema* found = import.find(name)) return found;
    }
    return nullptr;
  }
};

/// The package of the library's own messages. Not `mirbft`: protoc's C++ classes would then be
/// `mirbft::Request` and the like, and a program that links both would mix them up.
inline constexpr std::string_view default_package = "mirbft.v1";

namespace detail {

template <class T>
inline constexpr char type_key = 0;

constexpr bool is_upper(char letter) { return letter >= 'A' && letter <= 'Z'; }

// HashResult_BatchHash → hash_result_batch_hash
inline std::string snake_case(std::string_view name) {
  std::string made;
  char before = '_';
  for (const char letter : name) {
    if (is_upper(letter) && !is_upper(before) && before != '_') made += '_';
    made += is_upper(letter) ? static_cast<char>(letter - 'A' + 'a') : letter;
    before = letter;
  }
  return made;
}

template <class T>
inline constexpr std::string_view unit_of = {};
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep, std::nano>> = "nanoseconds";
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep, std::micro>> = "microseconds";
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep, std::milli>> = "milliseconds";
template <class Rep>
inline constexpr std::string_view unit_of<std::chrono::duration<Rep>> = "seconds";

template <class T>
FieldSchema describe_number() {
  constexpr bool is_signed = std::is_signed_v<T> || requires { T{}.count(); };
  constexpr std::string_view wide = sizeof(T) <= 4 ? "32" : "64";
  FieldSchema field;
  field.kind = Kind::number;
  field.size = sizeof(T);
  field.type = (is_signed ? "int" : "uint") + std::string(wide);
  if constexpr (std::is_same_v<T, bool>) {
    field.type = "bool";
  } else if constexpr (std::is_enum_v<T>) {
    field.note = type_name<T>;
  } else if constexpr (requires { T{}.count(); }) {
    field.note = unit_of<T>;
  } else if constexpr (sizeof(T) < 4) {
    field.note = "at most " + std::to_string(8 * sizeof(T)) + " bits";
  }
  return field;
}

template <class T>
FieldSchema describe_blob() {
  FieldSchema field;
  field.kind = Kind::blob;
  field.size = fixed_size<T>;
  field.type = std::is_same_v<T, std::string> ? "string" : "bytes";
  if (field.size > 0) field.note = "exactly " + std::to_string(field.size) + " bytes";
  return field;
}

class SchemaMaker {
 public:
  explicit SchemaMaker(Schema start) : schema_(std::move(start)) {}

  Schema take() && { return std::move(schema_); }

  // Adds the message of `T`, and after it those of its members, unless they are there already.
  // Returns its name with its package.
  template <class T>
  std::string add() {
    if (const MessageSchema* known = schema_.find(type_name<T>)) {
      if (known->type == &type_key<T>) return known->full_name();
      throw std::logic_error("message " + known->full_name() +
                             ": two C++ types have this name; give one of them another by a "
                             "member `static constexpr std::string_view wire_name`");
    }
    const std::size_t place = schema_.messages.size();
    schema_.messages.push_back(
        {std::string(type_name<T>), schema_.package, {}, false, &type_key<T>});
    const T example{};
    std::vector<FieldSchema> fields = describe_fields(example);
    MessageSchema& message = schema_.messages[place];
    message.fields = std::move(fields);
    if constexpr (kind_of<T> == Kind::choice) message.needs_choice = !may_be_empty<T>;
    return message.full_name();
  }

 private:
  template <Reflected T>
  std::vector<FieldSchema> describe_fields(const T& example) {
    std::vector<FieldSchema> fields;
    for_each_member(example, [&](auto number, const auto& member) {
      fields.push_back(describe<std::remove_cvref_t<decltype(member)>>());
      fields.back().number = number;
      fields.back().name = member_names<T>[number - 1];
    });
    return fields;
  }

  template <class... Alternatives>
  std::vector<FieldSchema> describe_fields(const std::variant<Alternatives...>&) {
    std::vector<FieldSchema> fields;
    const auto describe_one = [&]<class T>(std::type_identity<T>, std::uint32_t number) {
      if constexpr (!std::is_same_v<T, std::monostate>) {
        fields.push_back(describe<T>());
        fields.back().number = number;
        fields.back().name = snake_case(type_name<T>);
        fields.back().label = Label::alternative;
      }
    };
    const std::uint32_t* number = alternative_numbers<std::variant<Alternatives...>>.data();
    (describe_one(std::type_identity<Alternatives>{}, *number++), ...);
    return fields;
  }

  template <class T>
  FieldSchema describe() {
    if constexpr (is_shared<T>) {
      return describe<typename T::value_type>();
    } else if constexpr (kind_of<T> == Kind::list || kind_of<T> == Kind::maybe) {
      FieldSchema field = describe<typename T::value_type>();
      field.label = kind_of<T> == Kind::list ? Label::repeated : Label::optional;
      return field;
    } else if constexpr (kind_of<T> == Kind::number) {
      return describe_number<T>();
    } else if constexpr (kind_of<T> == Kind::blob) {
      return describe_blob<T>();
    } else {
      FieldSchema field;
      field.kind = kind_of<T>;
      field.type = add<T>();
      return field;
    }
  }

  Schema schema_;
};

}  // namespace detail

/// The schema of the given structs and variants and of all that they contain. What an import has
/// already is referred to, not repeated. Throws std::logic_error if two types have one name.
template <Message... Ts>
Schema schema(std::string file, std::vector<Schema> imports = {},
              std::string_view package = default_package) {
  detail::SchemaMaker maker({std::move(file), std::string(package), {}, std::move(imports)});
  (maker.template add<typename detail::Unshared<Ts>::type>(), ...);
  return std::move(maker).take();
}

}  // namespace mirbft::wire

#endif
