#include "common/signal_name.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>

namespace procsup {
namespace {

TEST(SignalName, NamesOrdinaryAndRealTimeSignals) {
    EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
    EXPECT_EQ(signal_name(SIGRTMIN), "SIGRTMIN");
    EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
    EXPECT_EQ(signal_name(SIGRTMAX), "SIGRTMIN+" + std::to_string(SIGRTMAX - SIGRTMIN));
}

TEST(SignalName, ShowsTheNumberOfWhatIsNoSignal) {
    EXPECT_EQ(signal_name(99), "signal 99");
    EXPECT_EQ(signal_name(0), "signal 0");
    EXPECT_EQ(signal_name(-1), "signal -1");
}

TEST(ParseSignal, ReadsEveryFormOfAName) {
    for (const auto* text : {"SIGTERM", "TERM", "term", "sigterm", "15"})
        EXPECT_EQ(parse_signal(text), SIGTERM) << text;
    EXPECT_EQ(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
    EXPECT_EQ(parse_signal("rtmin"), SIGRTMIN);
}

TEST(ParseSignal, ReadsBackEveryNameItWrites) {
    for (int signal = 1; signal <= SIGRTMAX; ++signal) {
        const auto name = signal_name(signal);
        if (!name.starts_with("SIG")) continue;  // 32 and 33 are the C library's own
        EXPECT_EQ(parse_signal(name), signal) << name;
    }
}

TEST(ParseSignal, RefusesWhatIsNoSignal) {
    for (const auto* text : {"", "SIG", "0", "-1", "65", "999999999999", "SIGSIGTERM", "TERM ", "15x", "SIGRTMIN+",
                             "SIGRTMIN+99", "SIGRTMIN-1", "SIGRTMIN+-1", "RTMINx", "frob"}) {
        EXPECT_EQ(parse_signal(text), std::nullopt) << text;
    }
}

TEST(SignalName, WhatEndsAProcessByDefault) {
    for (const int signal : {SIGHUP, SIGTERM, SIGKILL, SIGUSR1, SIGABRT, SIGRTMIN})
        EXPECT_TRUE(ends_by_default(signal));
    for (const int signal : {SIGSTOP, SIGCONT, SIGCHLD, SIGWINCH}) EXPECT_FALSE(ends_by_default(signal));
}

}  // namespace
}  // namespace procsup
