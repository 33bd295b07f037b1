#pragma once
// Sanitizers make a test take ten times as long. One that tries thousands of cases tries a part of
// them then: all the code has run by that, and the plain build tries all the cases.

namespace mirbft::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace mirbft::testing
