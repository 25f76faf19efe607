// How it is found out that a job is ready, and stays well. What a job writes takes the place of what [defaults] says.
#include "conf/key_reader.h"

namespace procsup {

void KeyReader::ready_by_notice(const TomlValue& value) {
    bool notifies = false;
    boolean(value, notifies);
    auto& kind = job_->spec.readiness.kind;
    if (notifies) {
        kind = Readiness::Kind::Notify;
    } else if (kind == Readiness::Kind::Notify) {
        kind = Readiness::Kind::Executed;
    }
}

void KeyReader::ready_by_fd(const TomlValue& value) {
    auto& readiness = job_->spec.readiness;
    readiness.kind = Readiness::Kind::Fd;
    integer(value, 3, 7, readiness.fd);
}

void KeyReader::ready_by_command(const TomlValue& value) {
    job_->spec.readiness.kind = Readiness::Kind::Exec;
    command(value, job_->ready.command);
}

void KeyReader::healthy_by_command(const TomlValue& value) {
    job_->spec.health.look.kind = Readiness::Kind::Exec;
    command(value, job_->health.command);
}

void KeyReader::ready_by(const TomlValue& value, Readiness::Kind kind) {
    job_->spec.readiness.kind = kind;
    look_at(value, kind, job_->ready.target);
}

void KeyReader::healthy_by(const TomlValue& value, Readiness::Kind kind) {
    job_->spec.health.look.kind = kind;
    look_at(value, kind, job_->health.target);
}

void KeyReader::look_at(const TomlValue& value, Readiness::Kind kind, PlacedText& out) {
    const auto* port = kind == Readiness::Kind::Tcp ? value.as<std::int64_t>() : nullptr;
    if (port != nullptr) {
        out = {std::to_string(*port), place_of(value)};
        return;
    }
    const auto* text = string(value);
    if (text == nullptr) return;
    std::string target = *text;
    const bool path = kind == Readiness::Kind::Unix || kind == Readiness::Kind::File;
    if (target.empty()) return report(value, "must not be empty");
    if (!path || anchored(value, target)) out = {std::move(target), place_of(value)};
}

}  // namespace procsup
