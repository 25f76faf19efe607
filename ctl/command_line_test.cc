#include "ctl/command_line.h"

#include <gtest/gtest.h>

namespace procsup::ctl {
namespace {

using Words = std::vector<std::string_view>;

CommandLine parsed(const Words& words) {
    auto line = parse_command_line(words);
    EXPECT_TRUE(line) << line.error().message;
    return line ? std::move(*line) : CommandLine();
}

std::string refused(const Words& words) {
    const auto line = parse_command_line(words);
    return line ? "accepted" : line.error().message;
}

TEST(CommandLine, TakesOptionsBeforeAndBehindTheVerb) {
    const auto line = parsed({"--json", "status", "web", "--socket=/run/x", "-q"});
    EXPECT_EQ(line.verb->name, "status");
    EXPECT_TRUE(line.json);
    EXPECT_TRUE(line.quiet);
    EXPECT_EQ(line.socket, "/run/x");
    EXPECT_EQ(line.operands, Words({"web"}));
}

TEST(CommandLine, ReadsVerbsOfTwoWords) { EXPECT_EQ(parsed({"daemon", "status"}).verb->name, "daemon status"); }

TEST(CommandLine, ReadsDurationsWithUnitsOnly) {
    EXPECT_EQ(*parsed({"start", "web", "--timeout", "1min30s"}).timeout, std::chrono::seconds(90));
    EXPECT_FALSE(parsed({"start", "web", "--timeout=none"}).timeout);
    EXPECT_NE(refused({"start", "web", "--timeout=5"}).find("unit"), std::string::npos);
}

TEST(CommandLine, PassesEverythingBehindTheDashesToTheCommand) {
    const auto line = parsed({"run", "--name=x", "--", "ls", "--json", "--", "-l"});
    EXPECT_EQ(line.command, Words({"ls", "--json", "--", "-l"}));
    EXPECT_EQ(line.name, "x");
    EXPECT_FALSE(line.json);
}

TEST(CommandLine, BeginsTheCommandAtTheFirstWordThatCanOnlyBeOne) {
    EXPECT_EQ(parsed({"run", "ls", "--json"}).command, Words({"ls", "--json"}));
    const auto line = parsed({"exec", "web", "env", "-0"});
    EXPECT_EQ(line.operands, Words({"web"}));
    EXPECT_EQ(line.command, Words({"env", "-0"}));
    EXPECT_EQ(parsed({"exec", "web", "--", "env"}).command, Words({"env"}));
}

TEST(CommandLine, KnowsALettersOptionByItsVerb) {
    const auto lock = parsed({"lock", "-n", "printer", "lp", "-n", "2"});
    EXPECT_TRUE(lock.try_only);
    EXPECT_EQ(lock.operands, Words({"printer"}));
    EXPECT_EQ(lock.command, Words({"lp", "-n", "2"}));
    EXPECT_EQ(*parsed({"lock", "-w", "5s", "-s", "printer", "--", "lp"}).timeout, std::chrono::seconds(5));
    EXPECT_EQ(parsed({"logs", "-n", "5"}).logs.lines, 5u);
    EXPECT_EQ(refused({"lock", "-n", "-w", "5s", "printer", "lp"}),
              "options '--try' and '--timeout' exclude each other");
    EXPECT_EQ(refused({"lock", "printer"}),
              "'lock' needs a command behind '--', or '--pid PID' for a process that runs already");
}

TEST(CommandLine, KnowsForWhomSomethingIsHeld) {
    EXPECT_EQ(parsed({"lock", "printer", "--pid", "4711"}).pid, 4711);
    const auto permits = parsed({"sem", "acquire", "gpu", "--permits=4", "--count", "2", "--", "train"});
    EXPECT_EQ(permits.permits, 4u);
    EXPECT_EQ(permits.permit_count, 2u);
    EXPECT_EQ(refused({"lock", "printer", "--pid", "1", "--", "lp"}), "'--pid' and a command exclude each other");
    EXPECT_EQ(refused({"lock", "release", "printer"}), "'lock release' needs a NAME and '--pid PID': whose it is");
    EXPECT_EQ(refused({"sem", "release", "gpu", "--pid", "-3"}), "option '--pid': '-3' is no process id");
    EXPECT_EQ(refused({"sem", "acquire", "gpu", "--count=0", "lp"}), "option '--count': '0' is no number of permits");
}

TEST(CommandLine, TakesNegativeNumbersOfValues) {
    const auto set = parsed({"value", "set", "--type=double", "left", "-1", "-.5", "2"});
    EXPECT_EQ(set.operands, Words({"left", "-1", "-.5", "2"}));
    EXPECT_EQ(set.number_type, "double");
    EXPECT_EQ(parsed({"value", "get", "left", "--at", "3"}).at, 3u);
    EXPECT_EQ(refused({"value", "get", "left", "--at", "-3"}), "option '--at': '-3' is no number from 0 on");
    EXPECT_EQ(refused({"value", "set", "left"}), "'value set' needs a NAME and a number");
    EXPECT_EQ(refused({"value", "cas", "left", "1"}), "'value cas' needs a NAME and two numbers: OLD and NEW");
    EXPECT_EQ(refused({"value", "cas", "left", "1", "2", "3"}), "'value cas' does not take '3'");
    EXPECT_EQ(refused({"value", "add", "left", "1", "--type", "int9"}),
              "option '--type' cannot be 'int9' (did you mean 'int8'?)");
}

TEST(CommandLine, TakesACompletionsWordsVerbatim) {
    const auto line = parsed({"__complete", "wait", "--for=", ""});
    EXPECT_EQ(line.operands, Words({"wait", "--for=", ""}));
}

TEST(CommandLine, TurnsVersionIntoTheVerb) { EXPECT_EQ(parsed({"--version"}).verb->name, "version"); }

TEST(CommandLine, ExplainsAVerbThatLacksItsOperands) { EXPECT_TRUE(parsed({"start", "--help"}).help); }

TEST(CommandLine, SuggestsWhatWasMeant) {
    EXPECT_EQ(refused({"restrat", "web"}), "unknown command 'restrat' (did you mean 'restart'?)");
    EXPECT_EQ(refused({"status", "--jsno"}), "unknown option '--jsno' (did you mean '--json'?)");
    EXPECT_EQ(refused({"wait", "web", "--for=redy"}), "option '--for' cannot be 'redy' (did you mean 'ready'?)");
    EXPECT_EQ(refused({"daemon", "stats"}), "unknown command 'daemon' (did you mean 'daemon status'?)");
}

TEST(CommandLine, EscapesWhatItRefuses) { EXPECT_EQ(refused({"\x1b[2J"}), "unknown command '\\x1b[2J'"); }

TEST(CommandLine, RefusesWhatDoesNotFitTheVerb) {
    EXPECT_EQ(refused({}), "a command is missing");
    EXPECT_EQ(refused({"start"}), "'start' needs a JOB (or --all)");
    EXPECT_EQ(refused({"start", "--all", "web"}), "'--all' and names of jobs exclude each other");
    EXPECT_EQ(refused({"why", "web", "db"}), "'why' does not take 'db'");
    EXPECT_EQ(refused({"ping", "x"}), "'ping' does not take 'x'");
    EXPECT_EQ(refused({"signal", "HUP"}), "'signal' needs a JOB (or --all)");
    EXPECT_EQ(refused({"run"}), "'run' needs a command behind '--'");
    EXPECT_EQ(refused({"exec", "--", "ls"}), "'exec' needs a JOB");
    EXPECT_EQ(refused({"status", "--no-wait"}), "option '--no-wait' is not for 'status'");
    EXPECT_EQ(refused({"ping", "--json=1"}), "option '--json' takes no argument");
    EXPECT_EQ(refused({"ping", "--socket"}), "option '--socket' needs PATH");
    EXPECT_EQ(refused({"ping", "--socket="}), "option '--socket' is empty");
    EXPECT_EQ(refused({"ping", "--user", "--socket=x"}), "options '--user' and '--socket' exclude each other");
    EXPECT_EQ(refused({"ping", "-x"}), "unknown option '-x'");
}

}  // namespace
}  // namespace procsup::ctl
