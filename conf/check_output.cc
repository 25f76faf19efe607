// Whether settings of output go together.
#include <array>
#include <string>

#include "conf/resource_limits.h"
#include "conf/settings_check.h"

namespace procsup {

/// Of one text: what a job says itself stands over what [defaults] say, and an overlay over both.
void SettingsCheck::check_output() {
    const bool both = draft_.written(Key::LogPipeTo) && draft_.written(Key::LogStdout);
    if (!both || draft_.mark(Key::LogPipeTo).rank != draft_.mark(Key::LogStdout).rank) return;
    report(Key::LogPipeTo, "'log.pipe_to' and 'log.stdout' exclude each other: write one of them");
}

void SettingsCheck::check_log() {
    constexpr std::array<std::pair<Key, const char*>, 8> kOfCapture{{
        {Key::LogFormat, "log.format"},
        {Key::LogMaxSize, "log.max_size"},
        {Key::LogMaxAge, "log.max_age"},
        {Key::LogKeep, "log.keep"},
        {Key::LogTotalSize, "log.total_size"},
        {Key::LogCompress, "log.compress"},
        {Key::LogSync, "log.sync"},
        {Key::LogDir, "log.dir"},
    }};
    constexpr std::array<std::pair<Key, const char*>, 2> kOfLogged{{
        {Key::LogOnFull, "log.on_full"},
        {Key::LogRateLimit, "log.rate_limit"},
    }};
    constexpr std::array<std::pair<Key, const char*>, 1> kOfMirrored{{{Key::LogMirror, "log.mirror"}}};
    const auto report_without = [&](const auto& keys, const std::string& kinds) {
        for (const auto& [key, name] : keys) {
            if (!draft_.own(key)) continue;  // no text is made for the thousands of jobs that say nothing
            report_own(key, "'" + std::string(name) +
                                "' never takes effect: neither 'log.stdout' nor 'log.stderr' is " + kinds);
        }
    };
    if (draft_.stream_refused) return;
    if (!spec_.captures()) {
        report_without(kOfCapture, "\"capture\"");
    } else {
        check_rotated();
    }
    if (!spec_.is_logged()) report_without(kOfLogged, "\"capture\", \"journal\" or \"forward\"");
    if (spec_.writes_to(Stream::Kind::Forward) && !spec_.can_be_mirrored()) {
        report_own(Key::LogMirror,
                   "'log.mirror' never takes effect: what is forwarded goes to procsupd's output already; leave it "
                   "out, or write \"capture\" instead of \"forward\"");
    } else if (!spec_.can_be_mirrored()) {
        report_without(kOfMirrored, "\"capture\" or \"journal\"");
    }
}

void SettingsCheck::check_rotated() {
    const auto& log = spec_.log;
    if (log.keep == 0) {
        constexpr const char* kNoneKept = " never takes effect: log.keep is 0";
        report_own(Key::LogTotalSize, std::string("'log.total_size'") + kNoneKept);
        report_own(Key::LogCompress, std::string("'log.compress'") + kNoneKept);
    } else if (log.total_size != 0 && log.total_size < log.max_size) {
        const bool at_max = draft_.outranks(Key::LogMaxSize, Key::LogTotalSize);
        report(at_max ? Key::LogMaxSize : Key::LogTotalSize,
               "'log.total_size' (" + exact_size(log.total_size) + ") is smaller than 'log.max_size' (" +
                   exact_size(log.max_size) + "): not even one rotated file would be kept");
    }
}

}  // namespace procsup
