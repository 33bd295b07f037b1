// Configuration files: JSON that people write, read into reflected structs.
#ifndef MIRBFT_WIRE_CONFIG_FILE_HPP
#define MIRBFT_WIRE_CONFIG_FILE_HPP

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>

#include <mirbft/types/errors.hpp>
#include <mirbft/wire/descriptor.hpp>
#include <mirbft/wire/from_message.hpp>
#include <mirbft/wire/reflection.hpp>
#include <mirbft/wire/schema.hpp>
#include <mirbft/wire/type_name.hpp>

namespace mirbft::wire {

namespace detail {

// The whole file, or a ConfigError that says why not.
inline std::string read_config_text(const std::string& path) {
  constexpr std::size_t longest = std::size_t{16} << 20;
  const auto refuse = [&](const char* what, const char* mend) {
    throw ConfigError(path, what, mend);
  };
  const auto refuse_to_read = [&] {
    refuse(std::strerror(errno), "must be a file that this user can read");
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) refuse_to_read();
  std::string text(longest, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) refuse_to_read();
  if (text.size() == longest) refuse("a long file", "must be shorter than 16 MiB");
  return text;
}

// Protobuf's complaints about JSON, in our form. It knows three kinds.
class JsonComplaint {
 public:
  JsonComplaint(const std::string& source, std::string_view text, std::string_view complaint)
      : source_(source), text_(text), complaint_(complaint) {}

  [[noreturn]] void raise(const google::protobuf::Descriptor& type) const {
    // How it ends says which it is: all else may be quoted from the text.
    if (complaint_.ends_with('^')) raise_bad_text();
    if (complaint_.ends_with(unknown_field))
      raise_unknown_field(complaint_.substr(0, complaint_.size() - unknown_field.size()), type);
    if (const auto end = complaint_.find(wrong_value); end != std::string_view::npos)
      raise_wrong_value(complaint_.substr(0, end), complaint_.substr(end + wrong_value.size()));
    raise_bad_text();
  }

 private:
  static constexpr std::string_view unknown_field = ": Cannot find field.";
  static constexpr std::string_view wrong_value = ": invalid value ";

  // "(members[1]) prot: Cannot find field.", without the parentheses on the top level.
  [[noreturn]] void raise_unknown_field(std::string_view where,
                                        const google::protobuf::Descriptor& root) const {
    std::string path;
    if (const auto end = where.find(") "); where.starts_with('(') && end != where.npos) {
      path = std::string(where.substr(1, end - 1)) + '.';
      where.remove_prefix(end + 2);
    }
    const google::protobuf::Descriptor* type = type_at(path, root);
    std::string known;
    for (int i = 0; type && i < type->field_count(); ++i)
      known += (i == 0 ? "; known here: " : ", ") + type->field(i)->name();
    throw ConfigError(source_ + ": " + path + shown(where), "(unknown field)",
                      "correct its name or remove it" + known);
  }

  // The type of the object at a path such as "members[1]." or "log.file.".
  static const google::protobuf::Descriptor* type_at(std::string_view path,
                                                     const google::protobuf::Descriptor& root) {
    const google::protobuf::Descriptor* type = &root;
    while (type && !path.empty()) {
      const std::string_view step = path.substr(0, path.find('.'));
      const auto* field = type->FindFieldByName(std::string(step.substr(0, step.find('['))));
      type = field ? field->message_type() : nullptr;
      path.remove_prefix(step.size() + 1);
    }
    return type;
  }

  // "(members[1].port): invalid value "x" for type TYPE_UINT32"; a field that is given twice is
  // "invalid value oneof field '_port' is already set. Cannot set 'port' for type oneof".
  [[noreturn]] void raise_wrong_value(std::string_view where, std::string_view what) const {
    const bool nested = where.starts_with('(');
    std::string path = source_ + ": ";
    path += nested ? where.substr(1, where.size() - 2) : where;
    const std::size_t end = std::min(what.rfind(" for type "), what.size());
    const std::string_view type = what.substr(end);
    std::string value(what.substr(0, end));
    if (type.ends_with("oneof")) {
      const std::size_t name = value.rfind('\'', value.size() - 2) + 1;
      path += (nested ? "." : "") + value.substr(name, value.size() - 1 - name);
      throw ConfigError(path, "(given twice)", "give each field once");
    }
    throw ConfigError(path, shown(value), "must be " + std::string(kind_called(type)));
  }

  static std::string_view kind_called(std::string_view type) {
    if (type.ends_with("INT32") || type.ends_with("INT64")) return "a whole number in range";
    if (type.ends_with("BOOL")) return "true or false";
    if (type.ends_with("STRING")) return "text in quotation marks";
    return "an object in braces";
  }

  // "Expected : between key:value pair.\n<20 bytes to each side of the place>\n<blanks>^"
  [[noreturn]] void raise_bad_text() const {
    const std::string_view first = complaint_.substr(0, complaint_.find('\n'));
    const std::size_t last = complaint_.rfind('\n');
    std::size_t place = text_.size();
    if (last != std::string_view::npos && last > first.size() + 1) {
      const auto around = complaint_.substr(first.size() + 1, last - first.size() - 1);
      place = std::min(text_.find(around), text_.size()) + complaint_.size() - last - 2;
    }
    const auto before = text_.substr(0, place);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t begin = std::min(first.find_first_not_of(": "), first.size());
    throw ConfigError(source_, "line " + std::to_string(line),
                      "must be a JSON object: " + shown(first.substr(begin)));
  }

  const std::string& source_;
  std::string_view text_;
  std::string_view complaint_;
};

}  // namespace detail

/// Reads one JSON object with the members' names, as a person writes it or `to_json` prints it. A
/// member that is left out keeps the value that `T` gives it. Ids and enums are numbers; durations
/// too, in the unit of their type; bytes are hexadecimal digits. `T` holds no variants.
///
/// Throws ConfigError that names `source`, the field or the line, the rule and the mend: for a
/// field that `T` does not have, a value of a wrong type or range, and what is no JSON.
template <Reflected T>
T parse_config(std::string_view text, const std::string& source) {
  google::protobuf::DescriptorPool pool;
  const auto* file = pool.BuildFile(descriptor(text_schema<T>()));
  const auto* type = file->FindMessageTypeByName(std::string(type_name<T>));
  google::protobuf::DynamicMessageFactory factory(&pool);
  const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(type)->New());
  const auto status =
      google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, message.get());
  if (!status.ok()) {
    const std::string complaint(status.message().data(), status.message().size());
    detail::JsonComplaint(source, text, complaint).raise(*type);
  }
  T config{};
  fill_from(config, *message, source + ": ");
  return config;
}

/// The same from a file.
template <Reflected T>
T load_config(const std::string& path) {
  return parse_config<T>(detail::read_config_text(path), path);
}

}  // namespace mirbft::wire

#endif
