// Shows recorded events with nothing but the schema in their log: no C++ type is needed.
#ifndef MIRBFT_LOG_PRINTER_HPP
#define MIRBFT_LOG_PRINTER_HPP

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <mirbft/log/error.hpp>
#include <mirbft/log/event.hpp>
#include <mirbft/log/reader.hpp>
#include <mirbft/types/bytes.hpp>
#include <mirbft/types/digest.hpp>

namespace mirbft {

namespace detail {

/// Byte strings as people read them: printable text in quotes, everything else in hexadecimal.
class ReadableValues : public google::protobuf::TextFormat::FastFieldValuePrinter {
 public:
  void PrintBytes(const std::string& value,
                  google::protobuf::TextFormat::BaseTextGenerator* out) const override {
    const bool printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
    if (printable) {
      PrintString(value, out);
    } else {
      out->PrintString("0x" + hex(bytes_of(value)));
    }
  }
};

/// The first error that protobuf finds in a schema.
class FirstSchemaError : public google::protobuf::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& /*file*/, const std::string& element,
                const google::protobuf::Message*, ErrorLocation,
                const std::string& message) override {
    if (text_.empty()) text_ = element + ": " + message;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// Differences as protobuf reports them, with values as `printer` shows them.
class DifferenceReporter : public google::protobuf::util::MessageDifferencer::StreamReporter {
 public:
  using Path = std::vector<google::protobuf::util::MessageDifferencer::SpecificField>;

  DifferenceReporter(google::protobuf::io::ZeroCopyOutputStream* out,
                     const google::protobuf::TextFormat::Printer& printer)
      : StreamReporter(out), printer_(printer) {}

 protected:
  void PrintValue(const google::protobuf::Message& message, const Path& path,
                  bool left) override {
    const auto& place = path.back();
    if (place.field == nullptr) return StreamReporter::PrintValue(message, path, left);
    std::string value;
    printer_.PrintFieldValueToString(message, place.field, left ? place.index : place.new_index,
                                     &value);
    const bool nested =
        place.field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE;
    Print(nested ? "{ " + value + "}" : value);
  }

 private:
  const google::protobuf::TextFormat::Printer& printer_;
};

}  // namespace detail

/// Turns the events of one log into text. Not movable; used by one thread.
class LogPrinter {
 public:
  /// Throws LogError when the log's schema is none.
  explicit LogPrinter(const LogReader& log) : path_(log.path()), messages_(&pool_) {
    google::protobuf::FileDescriptorSet schema;
    if (log.schema().size() > most_schema_bytes)
      fail(0, "its schema is longer than that of any Node");
    if (!schema.ParseFromArray(log.schema().data(), static_cast<int>(log.schema().size())))
      fail(0, "its schema is no protobuf FileDescriptorSet");
    int types = 0;
    for (const google::protobuf::FileDescriptorProto& file : schema.file()) {
      types += file.message_type_size();
      // Types that contain one another are gone through by recursion.
      if (types > most_types) fail(0, "its schema has more types than that of any Node");
      detail::FirstSchemaError error;
      if (!pool_.BuildFileCollectingErrors(file, &error))
        fail(0, "its schema is not sound: " + error.text());
    }
    printer_.SetSingleLineMode(true);
    printer_.SetDefaultFieldValuePrinter(new detail::ReadableValues);  // The printer owns it.
  }

  /// One line in protobuf's text format; fields that hold their default are left out.
  std::string text(const LogEvent& event) const {
    std::string line;
    printer_.PrintToString(parse(event), &line);
    if (line.ends_with(' ')) line.pop_back();
    return line;
  }

  /// One line in protobuf's JSON; every field is there.
  std::string json(const LogEvent& event) const {
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    options.preserve_proto_field_names = true;
    std::string line;
    const auto done =
        google::protobuf::util::MessageToJsonString(parse(event), &line, options);
    if (!done.ok()) fail(event.offset, "event cannot be shown as JSON: " + done.ToString());
    return line;
  }

  /// What must change in `event` to become `other`, an event of the same type: a line a field.
  /// Empty when they are equal.
  std::string differences(const LogEvent& event, const LogEvent& other) const {
    using google::protobuf::util::MessageDifferencer;
    std::string lines;
    google::protobuf::io::StringOutputStream stream(&lines);
    const auto left = new_message(event);
    const auto right = new_message(other);
    fill(*left, event);
    fill(*right, other);
    {
      detail::DifferenceReporter reporter(&stream, printer_);
      reporter.SetMessages(*left, *right);
      MessageDifferencer differencer;
      differencer.set_message_field_comparison(MessageDifferencer::EQUIVALENT);
      differencer.ReportDifferencesTo(&reporter);
      differencer.Compare(*left, *right);
    }
    return lines;
  }

  /// The event for protobuf's reflection, until the next call of anything here.
  const google::protobuf::Message& parse(const LogEvent& event) const {
    google::protobuf::Message& message = kept(event);
    fill(message, event);
    return message;
  }

  /// What the log's schema says of the event's type.
  const google::protobuf::Descriptor& type(const LogEvent& event) const {
    return *kept(event).GetDescriptor();
  }
  /// The same by the full name of the event's message.
  const google::protobuf::Descriptor& type(std::string_view name, std::uint64_t offset = 0) const {
    const auto* type = pool_.FindMessageTypeByName(std::string(name));
    if (!type) fail(offset, "the log's schema lacks " + std::string(name));
    return *type;
  }

 private:
  static constexpr std::size_t most_schema_bytes = std::size_t{4} << 20;
  static constexpr int most_types = 4096;

  std::unique_ptr<google::protobuf::Message> new_message(const LogEvent& event) const {
    const auto* prototype = messages_.GetPrototype(&type(event.name, event.offset));
    return std::unique_ptr<google::protobuf::Message>(prototype->New());
  }

  google::protobuf::Message& kept(const LogEvent& event) const {
    auto& message = kept_[event.number];
    if (!message) message = new_message(event);
    return *message;
  }

  void fill(google::protobuf::Message& message, const LogEvent& event) const {
    const Bytes& bytes = event.payload;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      fail(event.offset, "what is recorded is no " + std::string(event.name));
  }

  [[noreturn]] void fail(std::uint64_t offset, std::string reason) const {
    throw LogError(path_, offset, std::move(reason));
  }

  std::string path_;
  google::protobuf::DescriptorPool pool_;
  mutable google::protobuf::DynamicMessageFactory messages_;
  /// One of each event type, by its number: filled anew, it has its memory already.
  mutable std::map<std::uint32_t, std::unique_ptr<google::protobuf::Message>> kept_;
  google::protobuf::TextFormat::Printer printer_;
};

}  // namespace mirbft

#endif
