#pragma once

#include <string>
#include <utility>
#include <variant>

namespace procsup {

/// Why something could not be done, as one sentence for the operator:
/// "cannot <verb> <object>: <cause>". `os_error` is the errno behind it, or 0.
struct Error {
    std::string message;
    int os_error = 0;
};

/// "cannot <what>: <strerror(os_error)>" as an Error.
Error os_failure(std::string what, int os_error);

/// The value of an operation that can fail in an expected way, or its Error; shaped like
/// std::expected<T, Error>, which neither g++ 12 in C++20 mode nor clang 14 has.
/// Reading the side that is not there is a programming error (std::bad_variant_access).
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() { return std::get<0>(state_); }
    const T& value() const { return std::get<0>(state_); }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() { return std::get<1>(state_); }
    const Error& error() const { return std::get<1>(state_); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}

    bool has_value() const { return !failed_; }
    explicit operator bool() const { return has_value(); }
    Error& error() { return error_; }
    const Error& error() const { return error_; }

private:
    Error error_;
    bool failed_ = false;
};

}  // namespace procsup
