#include "ctl/logs/log_query.h"

#include "ctl/logs/time_spec.h"
#include "ctl/text.h"

namespace procsup::ctl {
namespace {

constexpr std::uint64_t kLinesBeforeFollowing = 10;

Error of_option(std::string_view option, const Error& error) {
    return Error{"option '" + std::string(option) + "': " + escaped(error.message)};
}

LogOutput output_of(const CommandLine& line) {
    if (line.json || line.logs.output == "json") return LogOutput::Json;
    if (line.logs.output == "cat") return LogOutput::Cat;
    return line.logs.output == "raw" ? LogOutput::Raw : LogOutput::Short;
}

}  // namespace

Result<LogQuery> LogQuery::of(const CommandLine& line, std::int64_t now_usec) {
    LogQuery query;
    query.output = output_of(line);
    query.follow = line.follow;
    query.lines = line.logs.lines;
    query.run = line.logs.run;
    if (line.follow && line.logs.run.value_or(0) > 0)
        return Error{"options '--follow' and '--run': nothing is added to a run that has ended"};
    if (line.follow && !query.lines && line.logs.since.empty()) query.lines = kLinesBeforeFollowing;
    if (!line.logs.since.empty()) {
        const auto since = parse_time(line.logs.since, now_usec);
        if (!since) return of_option("--since", since.error());
        query.since = *since;
    }
    if (!line.logs.until.empty()) {
        const auto until = parse_time(line.logs.until, now_usec);
        if (!until) return of_option("--until", until.error());
        query.until = *until;
    }
    if (!line.logs.grep.empty()) {
        auto grep = Grep::compile(line.logs.grep);
        if (!grep) return of_option("--grep", grep.error());
        query.grep = std::move(*grep);
    }
    return query;
}

}  // namespace procsup::ctl
