// What a status says, in the text that Prometheus collects.
#ifndef MIRBFT_WIRE_PROMETHEUS_HPP
#define MIRBFT_WIRE_PROMETHEUS_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mirbft/wire/kind.hpp>
#include <mirbft/wire/reflection.hpp>

namespace mirbft::wire {

/// How the metrics of a program are called.
struct PrometheusNames {
  /// Each name begins with it: letters and `_`.
  std::string prefix = "mirbft";
  /// Each sample has these labels: `node="3"`.
  std::string labels{};
  /// The paths of numbers that only grow, as "net_frames_sent": these are counters and their names
  /// end in `_total`; all others are gauges.
  std::set<std::string, std::less<>> counters{};
};

/// Metrics in Prometheus' text format, version 0.0.4. The numbers of a reflected struct are named
/// after their path: `frames_sent` in `net` becomes `mirbft_net_frames_sent_total`. Durations are
/// in seconds. Text, lists and what an optional does not have are left out.
class PrometheusText {
 public:
  /// For the answer's `Content-Type`.
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  explicit PrometheusText(PrometheusNames names) : names_(std::move(names)) {}

  /// All numbers of a struct.
  template <Reflected T>
  void put(const T& status) {
    put_members("", "", status);
  }
  /// One number, without the prefix in its name; `help` is one line.
  void put_gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    put_sample(std::string(name), help, std::to_string(value));
  }

  std::string take() && { return std::move(text_); }

 private:
  template <class T>
  void put_members(const std::string& path, const std::string& member_of, const T& record) {
    for_each_member(record, [&](auto number, const auto& member) {
      const std::string name(member_names<T>[number - 1]);
      put_value(path + name, member_of + name, member);
    });
  }

  template <class V>
  void put_value(const std::string& name, const std::string& member, const V& value) {
    if constexpr (Reflected<V>) {
      put_members(name + '_', member + '.', value);
    } else if constexpr (requires { value.count(); }) {
      put_sample(name + "_seconds", help_of(member), seconds(value));
    } else if constexpr (kind_of<V> == Kind::number) {
      put_sample(name, help_of(member), number(value));
    } else if constexpr (kind_of<V> == Kind::maybe) {
      if (value) put_value(name, member, *value);
    }
  }

  static std::string help_of(const std::string& member) {
    return "The member " + member + " of the node's status.";
  }

  template <class V>
  static std::string number(const V& value) {
    if constexpr (std::is_signed_v<V>) {
      return std::to_string(value);
    } else {
      return std::to_string(to_number(value));
    }
  }

  static std::string seconds(std::chrono::nanoseconds time) {
    constexpr std::int64_t unit = 1'000'000'000;
    const std::int64_t count = time.count();
    std::string fraction = std::to_string(count % unit < 0 ? -(count % unit) : count % unit);
    fraction.insert(0, 9 - fraction.size(), '0');
    return (count < 0 ? "-" : "") + std::to_string(count < 0 ? -(count / unit) : count / unit) +
           '.' + fraction;
  }

  void put_sample(const std::string& path, std::string_view help, const std::string& value) {
    const bool counts = names_.counters.contains(path);
    const std::string name = names_.prefix + '_' + path + (counts ? "_total" : "");
    text_ += "# HELP " + name + ' ';
    text_ += help;
    text_ += "\n# TYPE " + name + (counts ? " counter\n" : " gauge\n") + name;
    if (!names_.labels.empty()) text_ += '{' + names_.labels + '}';
    text_ += ' ' + value + '\n';
  }

  PrometheusNames names_;
  std::string text_;
};

}  // namespace mirbft::wire

#endif
