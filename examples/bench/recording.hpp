// Recording that is chosen at start: an event log of each node, or none.
#ifndef MIRBFT_EXAMPLES_BENCH_RECORDING_HPP
#define MIRBFT_EXAMPLES_BENCH_RECORDING_HPP

#include <optional>
#include <string>
#include <utility>

#include <mirbft/modules/interceptor/file.hpp>

namespace bench {

/// A null pointer's test away from nothing where nothing is recorded. A program of one's own names
/// `FileInterceptor` or `NullInterceptor`.
class EitherInterceptor {
 public:
  EitherInterceptor() = default;
  explicit EitherInterceptor(mirbft::FileInterceptor log) : log_(std::move(log)) {}

  template <class... Es>
  void begin(mirbft::NodeId self, mirbft::ByteView cluster, mirbft::events<Es...> types) {
    if (log_) log_->begin(self, cluster, types);
  }
  template <class List>
  void intercept(mirbft::Slot slot, const List& list) {
    if (log_) log_->intercept(slot, list);
  }
  void end() {
    if (log_) log_->end();
  }

 private:
  std::optional<mirbft::FileInterceptor> log_;
};

/// Records below `directory` unless that is empty.
inline EitherInterceptor recorder(const std::string& directory, mirbft::NodeId node) {
  if (directory.empty()) return {};
  return EitherInterceptor(
      mirbft::FileInterceptor(directory + "/node-" + std::to_string(node.value) + ".mirlog"));
}

}  // namespace bench

#endif
