#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "common/varlink/server.h"

namespace procsup::varlink {

/// One method of org.varlink.certification: the text it must be called with, and what it answers. "{id}" stands for
/// the client's id.
struct CertificationStep {
    std::string_view method;
    std::string_view expected;  ///< parameters, JSON
    std::string_view answer;    ///< parameters, JSON; empty for a method called without a reply
};

/// The methods in the order in which a client calls them; each takes what the one before has answered.
std::span<const CertificationStep> certification_steps();

/// Replies of Test10, which takes `more`, and what Test11 gives back of them.
inline constexpr int kCertificationReplies = 10;

/// Are two JSON values the same, whatever the order of members? Whole numbers equal integers.
bool same_value(const json::Value& a, const json::Value& b);

/// A service that checks one client's way through all steps.
class CertificationService {
public:
    Interface interface();
    /// The client has come to the end and everything was as it must be.
    bool all_ok() const { return all_ok_; }

private:
    void serve(std::size_t step, PendingCall call);

    std::size_t next_step_ = 0;
    bool all_ok_ = false;
};

}  // namespace procsup::varlink
