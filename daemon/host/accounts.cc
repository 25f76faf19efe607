#include "daemon/host/accounts.h"

namespace procsup {

void Accounts::main_collected(Incarnation incarnation, pid_t session, Duration cpu) {
    Entry& entry = entries_[incarnation];
    entry.account.main_cpu = cpu;
    entry.session = session;
    if (session != 0) by_session_[session] = incarnation;
}

void Accounts::orphans_collected(Incarnation incarnation, const Orphaned& orphans) {
    all_ += orphans;
    if (incarnation == 0) {
        unattributed_ += orphans.count;
    } else if (orphans.count > 0) {
        entries_[incarnation].account.orphans += orphans;
    }
}

void Accounts::former_mains_collected(Incarnation incarnation, const Orphaned& mains) {
    if (mains.count > 0) entries_[incarnation].account.former_mains += mains;
}

Incarnation Accounts::of_session(pid_t session) const {
    const auto found = by_session_.find(session);
    return found == by_session_.end() ? 0 : found->second;
}

Account Accounts::of(Incarnation incarnation) const {
    const auto found = entries_.find(incarnation);
    return found == entries_.end() ? Account{} : found->second.account;
}

void Accounts::close(Incarnation incarnation) {
    const auto found = entries_.find(incarnation);
    if (found == entries_.end()) return;
    // The number may have gone to a later run's session.
    const auto session = by_session_.find(found->second.session);
    if (session != by_session_.end() && session->second == incarnation) by_session_.erase(session);
    entries_.erase(found);
}

}  // namespace procsup
