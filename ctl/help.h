#pragma once

#include <string>

#include "ctl/verb.h"

/// Texts made from the table of verbs. Pure.
namespace procsup::ctl {

/// All verbs in one screen.
std::string overview_text();
/// One verb with its options and exit codes.
std::string verb_text(const Verb& verb);
/// The generated part of the manual page, in the language of scdoc(5).
std::string manual_text();

}  // namespace procsup::ctl
