#include "daemon/broker/core/coordinator.h"

#include <gmock/gmock.h>

namespace procsup::broker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Pair;
using What = Settled::What;
using Why = Refusal::Why;

/// Sessions are numbers from 1 on, in the order of open().
class Locks : public ::testing::Test {
protected:
    Locks() {
        for (const char* label : {"ann", "bob", "carl"}) all.open(label);
    }
    Answer lock(const std::string& name, Owner owner, std::uint32_t units = kWhole) {
        Request request;
        request.name = name;
        request.owner = owner;
        request.units = units;
        return all.acquire(request, now);
    }
    Answer permits(const std::string& name, Owner owner, std::uint32_t units = 1) {
        Request request;
        request.name = name;
        request.owner = owner;
        request.kind = Kind::Semaphore;
        request.units = units;
        return all.acquire(request, now);
    }
    Answer event(const std::string& name, Owner owner, std::optional<TimePoint> deadline = {}) {
        Request request;
        request.name = name;
        request.owner = owner;
        request.kind = Kind::Event;
        request.units = 1;
        request.deadline = deadline;
        return all.acquire(request, now);
    }
    bool has(const Answer& answer) { return std::holds_alternative<Grant>(answer); }
    WaitId wait_of(const Answer& answer) {
        const auto* queued = std::get_if<Queued>(&answer);
        return queued != nullptr ? queued->wait : 0;
    }
    std::optional<Why> refusal(const Answer& answer) {
        const auto* refused = std::get_if<Refusal>(&answer);
        return refused != nullptr ? std::optional(refused->why) : std::nullopt;
    }
    std::vector<std::pair<WaitId, What>> settled() {
        std::vector<std::pair<WaitId, What>> found;
        for (const auto& one : all.take_settled()) found.emplace_back(one.wait, one.what);
        return found;
    }

    Coordinator all;
    TimePoint now{1s};
    const Owner ann{1, 0}, bob{2, 0}, carl{3, 0};
};

TEST_F(Locks, GoToTheOneWhoHasWaitedLongest) {
    EXPECT_TRUE(has(lock("printer", ann)));
    const auto first = wait_of(lock("printer", bob)), second = wait_of(lock("printer", carl));
    all.release(Kind::Lock, "printer", ann, 1, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(first, What::Granted)));
    all.release(Kind::Lock, "printer", bob, 1, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(second, What::Granted)));
    all.release(Kind::Lock, "printer", carl, 1, now);
    EXPECT_EQ(all.find(Kind::Lock, "printer"), nullptr) << "nobody needs it";
}

TEST_F(Locks, OfWhoHasEndedGoToTheNextWhoIsTold) {
    lock("printer", ann);
    lock("printer", bob);
    all.end(ann.session, false, now);
    const auto told = all.take_settled();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].grant.abandoned_by, "ann");
    all.release(Kind::Lock, "printer", bob, 1, now);
    EXPECT_EQ(std::get<Grant>(lock("printer", carl)).abandoned_by, "") << "who had it after her has seen to it";
}

TEST_F(Locks, ThatNobodyWaitsForRememberWhoAbandonedThem) {
    lock("printer", ann);
    all.end(ann.session, false, now);
    EXPECT_EQ(std::get<Grant>(lock("printer", bob, 1)).abandoned_by, "ann");
    EXPECT_EQ(std::get<Grant>(lock("printer", carl, 1)).abandoned_by, "ann") << "as long as it is only shared";
}

TEST_F(Locks, OfWhoEndsInOrderAreNotAbandoned) {
    lock("printer", ann);
    const auto waits = wait_of(lock("printer", bob));
    all.end(ann.session, true, now);
    const auto told = all.take_settled();
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].wait, waits);
    EXPECT_EQ(told[0].grant.abandoned_by, "");
}

TEST_F(Locks, AreNotWaitedForByWhoHasEnded) {
    lock("printer", ann);
    const auto waits = wait_of(lock("printer", bob));
    all.end(bob.session, true, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(waits, What::Ended)));
    all.release(Kind::Lock, "printer", ann, 1, now);
    EXPECT_THAT(settled(), IsEmpty());
}

TEST_F(Locks, AreNotHadTwiceByOne) {
    lock("printer", ann);
    EXPECT_EQ(refusal(lock("printer", ann)), Why::AlreadyHeld);
    EXPECT_GT(wait_of(lock("printer", Owner{1, 5})), 0u) << "another thread waits";
}

TEST_F(Locks, ThatAreReentrantAreReleasedAsOften) {
    Request request;
    request.name = "printer";
    request.owner = ann;
    request.reentrant = true;
    const auto first = std::get<Grant>(all.acquire(request, now));
    const auto again = std::get<Grant>(all.acquire(request, now));
    EXPECT_EQ(again.depth, 2u);
    EXPECT_EQ(again.token, first.token);
    const auto waits = wait_of(lock("printer", bob));
    EXPECT_EQ(all.release(Kind::Lock, "printer", ann, 1, now).depth, 1u);
    EXPECT_THAT(settled(), IsEmpty());
    all.release(Kind::Lock, "printer", ann, 1, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(waits, What::Granted)));
}

TEST_F(Locks, AreSharedInTheOrderOfAsking) {
    lock("table", ann, 1);
    EXPECT_TRUE(has(lock("table", bob, 1)));
    const auto writer = wait_of(lock("table", carl));
    const auto late = wait_of(lock("table", Owner{1, 7}, 1));
    EXPECT_GT(late, 0u) << "readers that come later do not keep a writer waiting for ever";
    all.release(Kind::Lock, "table", ann, 1, now);
    all.release(Kind::Lock, "table", bob, 1, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(writer, What::Granted)));
    all.release(Kind::Lock, "table", carl, 1, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(late, What::Granted)));
}

TEST_F(Locks, AreSharedByThoseBehindAWriterWhoGivesUp) {
    lock("table", ann, 1);
    const auto writer = wait_of(lock("table", bob));
    const auto reader = wait_of(lock("table", carl, 1));
    all.cancel(writer, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(reader, What::Granted)));
}

TEST_F(Locks, GiveTokensThatGrow) {
    const auto first = std::get<Grant>(lock("a", ann)).token;
    all.release(Kind::Lock, "a", ann, 1, now);
    EXPECT_GT(std::get<Grant>(lock("a", bob)).token, first);
    all.set_last_token(1000);
    EXPECT_EQ(std::get<Grant>(lock("b", bob)).token, 1001u);
}

TEST_F(Locks, AreWaitedForUntilADeadline) {
    lock("printer", ann);
    Request request;
    request.name = "printer";
    request.owner = bob;
    request.deadline = now + 5s;
    const auto wait = wait_of(all.acquire(request, now));
    EXPECT_EQ(all.next_deadline(), now + 5s);
    all.advance(now + 4999ms);
    EXPECT_THAT(settled(), IsEmpty());
    all.advance(now + 5s);
    EXPECT_THAT(settled(), ElementsAre(Pair(wait, What::TimedOut)));
    EXPECT_EQ(all.next_deadline(), std::nullopt);
}

TEST_F(Locks, ThatAreTakenAwayCannotBeReleased) {
    lock("printer", ann);
    EXPECT_TRUE(all.take_away("printer", now));
    EXPECT_EQ(all.release(Kind::Lock, "printer", ann, 1, now).how, Released::How::NotHeld);
    EXPECT_TRUE(all.take_away("printer", now)) << "forgets that it was abandoned";
    EXPECT_EQ(all.find(Kind::Lock, "printer"), nullptr);
    EXPECT_FALSE(all.take_away("printer", now));
}

TEST_F(Locks, AreOnlySoManyOfOneAccount) {
    Coordinator few(2);
    const auto session = few.open("ann");
    const auto ask = [&](const char* name, std::uint64_t account) {
        Request request;
        request.name = name;
        request.account = account;
        request.owner = {session, 0};
        return few.acquire(request, now);
    };
    ask("a", 1000);
    ask("b", 1000);
    EXPECT_EQ(refusal(ask("c", 1000)), Why::TooManyNames);
    EXPECT_TRUE(has(ask("c", 1001)));
    few.release(Kind::Lock, "a", {session, 0}, 1, now);
    EXPECT_TRUE(has(ask("d", 1000)));
}

// ---- knots

TEST_F(Locks, InARingAreRefusedAtOnceToWhoClosesIt) {
    lock("a", ann);
    lock("b", bob);
    lock("c", carl);
    EXPECT_GT(wait_of(lock("b", ann)), 0u);
    EXPECT_GT(wait_of(lock("c", bob)), 0u);
    const auto answer = lock("a", carl);
    ASSERT_EQ(refusal(answer), Why::Deadlock);
    const auto& knot = std::get<Refusal>(answer).knot;
    ASSERT_EQ(knot.size(), 3u);
    EXPECT_EQ(knot[0].waiter, carl);
    EXPECT_EQ(knot[0].resource, "a");
    EXPECT_THAT(knot[0].holders, ElementsAre(ann));
}

TEST_F(Locks, OfOneWhoCanStillReleaseAreWaitedFor) {
    // Two threads of ann: one waits, the other does not.
    lock("a", Owner{1, 1});
    lock("b", bob);
    EXPECT_GT(wait_of(lock("b", Owner{1, 2})), 0u);
    EXPECT_GT(wait_of(lock("a", bob)), 0u) << "thread 1 has it, and works";
}

TEST_F(Locks, OfASessionWithAFreeConnectionAreWaitedFor) {
    all.attach(ann.session);
    lock("a", ann);
    lock("b", bob);
    lock("b", ann);
    const auto bobs = wait_of(lock("a", bob));
    EXPECT_GT(bobs, 0u) << "the other connection can release it";
    all.detach(ann.session, now);
    const auto told = all.take_settled();
    ASSERT_EQ(told.size(), 1u) << "no connection is left that could";
    EXPECT_EQ(told[0].what, What::Deadlock);
    EXPECT_NE(told[0].wait, bobs);
}

TEST_F(Locks, BehindAWriterWhoWaitsForTheReaderAreAKnot) {
    lock("table", ann, 1);
    lock("other", carl);
    EXPECT_GT(wait_of(lock("table", bob)), 0u);
    EXPECT_GT(wait_of(lock("table", carl, 1)), 0u) << "it comes behind bob";
    EXPECT_EQ(refusal(lock("other", ann)), Why::Deadlock);
}

TEST_F(Locks, ThatBothReadersWantToWriteAreRefused) {
    lock("table", ann, 1);
    EXPECT_EQ(refusal(lock("table", ann)), Why::AlreadyHeld);
}

// ---- semaphores

TEST_F(Locks, PermitsOfTheDeadComeBack) {
    all.make_semaphore("gpu", 0, 2, Returns::ByHolder);
    permits("gpu", ann, 2);
    const auto waits = wait_of(permits("gpu", bob));
    all.end(ann.session, false, now);
    EXPECT_THAT(settled(), ElementsAre(Pair(waits, What::Granted)));
    EXPECT_TRUE(has(permits("gpu", carl)));
}

TEST_F(Locks, PermitsOfSeveralAreAKnotOnlyWhenAllOfThemWait) {
    all.make_semaphore("gpu", 0, 2, Returns::ByHolder);
    permits("gpu", ann);
    permits("gpu", bob);
    lock("a", carl);
    EXPECT_GT(wait_of(lock("a", ann)), 0u);
    EXPECT_GT(wait_of(permits("gpu", carl)), 0u) << "bob will release his";
    EXPECT_EQ(refusal(lock("a", bob)), Why::Deadlock);
}

TEST_F(Locks, MorePermitsThanThereAreAreRefused) {
    all.make_semaphore("gpu", 0, 2, Returns::ByHolder);
    EXPECT_EQ(refusal(permits("gpu", ann, 3)), Why::TooMany);
    permits("gpu", ann, 1);
    EXPECT_EQ(refusal(permits("gpu", ann, 2)), Why::Deadlock) << "only she could release what she waits for";
}

TEST_F(Locks, PermitsAreGivenBackByWhoMay) {
    using How = Released::How;
    all.make_semaphore("owned", 0, 1, Returns::ByHolder);
    all.make_semaphore("bounded", 0, 1, Returns::ByAnybody);
    all.make_semaphore("growing", 0, 1, Returns::Beyond);
    for (const char* name : {"owned", "bounded", "growing"}) permits(name, ann);
    EXPECT_EQ(all.release(Kind::Semaphore, "owned", bob, 1, now).how, How::NotHeld);
    EXPECT_EQ(all.release(Kind::Semaphore, "bounded", bob, 1, now).how, How::Released);
    EXPECT_EQ(all.release(Kind::Semaphore, "bounded", bob, 1, now).how, How::TooMany);
    EXPECT_EQ(all.release(Kind::Semaphore, "growing", bob, 1, now).how, How::Released);
    EXPECT_EQ(all.release(Kind::Semaphore, "growing", bob, 1, now).how, How::Released);
    EXPECT_EQ(all.find(Kind::Semaphore, "growing")->total, 2u);
    all.end(ann.session, false, now);
    EXPECT_EQ(all.find(Kind::Semaphore, "growing")->total - all.find(Kind::Semaphore, "growing")->used, 2u)
        << "hers were given back by bob already";
}

TEST_F(Locks, WhoWaitsForASemaphoreThatIsRemovedIsTold) {
    all.make_semaphore("gpu", 0, 1, Returns::ByHolder);
    permits("gpu", ann);
    const auto waits = wait_of(permits("gpu", bob));
    EXPECT_TRUE(all.remove(Kind::Semaphore, "gpu"));
    EXPECT_THAT(settled(), ElementsAre(Pair(waits, What::Gone)));
    all.end(ann.session, false, now);
    EXPECT_EQ(refusal(permits("gpu", bob)), Why::Unknown);
}

TEST_F(Locks, AndSemaphoresCanHaveTheSameName) {
    all.make_semaphore("gpu", 0, 1, Returns::ByHolder);
    EXPECT_TRUE(has(lock("gpu", ann)));
    EXPECT_TRUE(has(permits("gpu", ann)));
    all.end(1, false, now);
    EXPECT_EQ(all.find(Kind::Semaphore, "gpu")->used, 0u);
    EXPECT_EQ(all.find(Kind::Lock, "gpu")->abandoned_by, "ann");
}

TEST_F(Locks, EventsLetAllPassOnceTheyAreSet) {
    const auto first = wait_of(event("ready", ann)), second = wait_of(event("ready", bob));
    EXPECT_NE(first, 0u);
    EXPECT_TRUE(all.set_event("ready", 0, now));
    EXPECT_THAT(settled(), ElementsAre(Pair(first, What::Granted), Pair(second, What::Granted)));
    EXPECT_TRUE(has(event("ready", carl))) << "it stays set";
    all.clear_event("ready");
    EXPECT_EQ(all.find(Kind::Event, "ready"), nullptr) << "as if it had never been";
    EXPECT_NE(wait_of(event("ready", carl)), 0u);
}

TEST_F(Locks, EventsThatNobodyHasSetAreWaitedForUntilADeadline) {
    const auto wait = wait_of(event("ready", ann, now + 5ms));
    all.advance(now + 5ms);
    EXPECT_THAT(settled(), ElementsAre(Pair(wait, What::TimedOut)));
    EXPECT_EQ(all.find(Kind::Event, "ready"), nullptr);
}

TEST_F(Locks, EventsAreNoKnotAsAnybodyCanSetThem) {
    EXPECT_TRUE(has(lock("printer", ann)));
    EXPECT_NE(wait_of(lock("printer", bob)), 0u);
    EXPECT_NE(wait_of(event("ready", ann)), 0u);
}

using How = Changed::How;

class Values : public Locks {
protected:
    Values() { all.make_value("left", 7, CellType::Int8, 3); }
    Changed change(Change change) { return all.change_value("left", change, now); }
    Changed add(std::int64_t number, std::size_t at = 0) { return change({at, {number}, true, {}, {}, {}}); }
    Changed set(std::int64_t number, std::size_t at = 0) { return change({at, {number}, false, {}, {}, {}}); }
    Cell get(std::size_t at = 0) { return all.find(Kind::Value, "left")->cells.get(at); }
    Token version() { return all.find(Kind::Value, "left")->version; }
    Answer wait(Owner owner, Token seen) {
        Request request;
        request.name = "left";
        request.owner = owner;
        request.kind = Kind::Value;
        request.units = 1;
        request.seen = seen;
        return all.acquire(request, now);
    }
};

TEST_F(Values, AreChangedCellByCell) {
    EXPECT_EQ(get(2), Cell(std::int64_t{0}));
    EXPECT_EQ(set(5, 2).how, How::Done);
    const auto before = version();
    EXPECT_THAT(add(-7, 2).before, ElementsAre(Cell(std::int64_t{5})));
    EXPECT_EQ(get(2), Cell(std::int64_t{-2}));
    EXPECT_EQ(get(1), Cell(std::int64_t{0}));
    EXPECT_GT(version(), before);
}

TEST_F(Values, AreChangedAsAWholeOrNotAtAll) {
    const auto before = version();
    EXPECT_EQ(change({0, {std::int64_t{1}, std::int64_t{128}}, false, {}, {}, {}}).how, How::OutOfRange);
    EXPECT_EQ(change({0, {std::int64_t{1}, 0.5}, true, {}, {}, {}}).how, How::OutOfRange);
    EXPECT_EQ(change({2, {std::int64_t{1}, std::int64_t{2}}, false, {}, {}, {}}).how, How::OutOfBounds);
    EXPECT_EQ(change({4, {}, false, {}, {}, {}}).how, How::OutOfBounds);
    EXPECT_EQ(get(0), Cell(std::int64_t{0}));
    EXPECT_EQ(version(), before);
    EXPECT_EQ(all.change_value("right", {}, now).how, How::Unknown);
}

TEST_F(Values, AreChangedOnlyWhenTheyAreAsExpected) {
    const auto first = set(3).version;
    EXPECT_EQ(change({0, {std::int64_t{4}}, false, {}, {}, {std::int64_t{2}}}).how, How::Differs);
    EXPECT_EQ(change({0, {std::int64_t{4}}, false, {}, {}, {std::int64_t{3}}}).how, How::Done);
    EXPECT_EQ(change({0, {std::int64_t{5}}, false, {}, first, {}}).how, How::Differs);
    EXPECT_EQ(change({0, {std::int64_t{5}}, false, {}, version(), {}}).how, How::Done);
    EXPECT_EQ(get(), Cell(std::int64_t{5}));
}

TEST_F(Values, AreWaitedForUntilTheyChange) {
    const auto seen = version();
    const auto first = wait_of(wait(ann, seen)), second = wait_of(wait(bob, seen));
    EXPECT_NE(first, 0u);
    set(1);
    EXPECT_THAT(settled(), ElementsAre(Pair(first, What::Granted), Pair(second, What::Granted)));
    EXPECT_EQ(std::get<Grant>(wait(carl, seen)).token, version()) << "it has changed already";
    EXPECT_NE(wait_of(wait(carl, version())), 0u);
    EXPECT_TRUE(all.remove(Kind::Value, "left"));
    EXPECT_THAT(settled(), ElementsAre(Pair(3u, What::Gone)));
}

TEST_F(Values, AreOnlySoLargeOfOneAccount) {
    Coordinator small(10, 100);
    using Made = Coordinator::Made;
    EXPECT_EQ(small.make_value("a", 7, CellType::Int64, 12), Made::Yes);
    EXPECT_EQ(small.make_value("b", 7, CellType::Int8, 5), Made::TooManyBytes);
    EXPECT_EQ(small.make_value("b", 8, CellType::Int8, 5), Made::Yes) << "another account's";
    EXPECT_EQ(small.make_value("a", 7, CellType::Int64, 12), Made::ThereAlready);
    EXPECT_EQ(small.make_value("a", 7, CellType::Double, 12), Made::Differs);
    EXPECT_TRUE(small.remove(Kind::Value, "a"));
    EXPECT_EQ(small.make_value("b", 7, CellType::Int8, 100), Made::Differs);
    EXPECT_EQ(small.make_value("c", 7, CellType::Int8, 100), Made::Yes);
}

}  // namespace
}  // namespace procsup::broker
