#include <gtest/gtest.h>

#include "conf/job_text.h"
#include "conf/reading.h"

namespace procsup {
namespace {

Configuration configuration(const std::string& text, std::vector<ConfigurationReader::Text> overlays = {}) {
    FakeSurroundings surroundings;
    surroundings.files["/etc/env"] = "F=file\n";
    surroundings.variables = {{"I", "inherited"}};
    auto result = read_configuration_text(text, "web.toml", surroundings, std::move(overlays));
    if (auto* configuration = std::get_if<0>(&result)) return std::move(*configuration);
    ADD_FAILURE() << to_text(std::get<1>(result).at(0));
    return {};
}

std::string cat(const Configuration& configuration, std::size_t job = 0) {
    return to_toml_with_places(configuration.jobs.at(job));
}

/// The line of `text` that begins with `begin`.
std::string line_of(const std::string& text, const std::string& begin) {
    const auto at = ("\n" + text).find("\n" + begin);
    if (at == std::string::npos) return "no line '" + begin + "' in:\n" + text;
    return text.substr(at, text.find('\n', at) - at);
}

TEST(KeyPlaces, StandBehindEachKey) {
    const auto text =
        cat(configuration("command = '/bin/web'\n\nstop_timeout = '3s'\n[limits]\nopen_files = 10\nstrict = true",
                          {{"web.toml.d/a.toml",
                            "\nstop_timeout = '4s'\nlimits.memory_max = '1GiB'\n"
                            "[sandbox]\nprivate_tmp = true\nstrict = true"}}));
    EXPECT_EQ(line_of(text, "command"), "command = [\"/bin/web\"]  # web.toml:1");
    EXPECT_EQ(line_of(text, "stop_timeout"), "stop_timeout = \"4s\"  # web.toml.d/a.toml:2");
    EXPECT_EQ(line_of(text, "open_files"), "open_files = 10  # web.toml:5");
    EXPECT_EQ(line_of(text, "memory_max"), "memory_max = \"1GiB\"  # web.toml.d/a.toml:3");
    EXPECT_EQ(line_of(text, "strict"), "strict = true  # web.toml:6");
    EXPECT_EQ(line_of(text, "private_tmp"), "private_tmp = true  # web.toml.d/a.toml:5");
    EXPECT_NE(text.find("strict = true  # web.toml.d/a.toml:6"), std::string::npos) << text;
    EXPECT_EQ(line_of(text, "working_dir"), "working_dir = \"/\"");
}

TEST(KeyPlaces, OfAShellAreBehindTheCommandItMakes) {
    EXPECT_EQ(line_of(cat(configuration("shell = 'x'")), "command"),
              "command = [\"/bin/sh\", \"-c\", \"x\"]  # web.toml:1");
    const auto replaced = cat(configuration("\nshell = 'x'", {{"o.toml", "command = '/bin/web'"}}));
    EXPECT_EQ(line_of(replaced, "command"), "command = [\"/bin/web\"]  # o.toml:1");
    EXPECT_EQ(replaced.find("web.toml"), std::string::npos) << replaced;
}

TEST(KeyPlaces, OfVariablesAndCredentialsAreTheirOwn) {
    const auto text =
        cat(configuration("command = '/bin/web'\nuser = 'www-data'\ninherit_env = ['I']\nenv_files = [\n"
                          "'/etc/env']\nstate_dirs = ['s']\n[env]\nA = '1'\nB = '1'\n[credentials]\nc = '/c'\n",
                          {{"o.toml", "env.B = '2'\nenv.LANG = 'de'\ncredentials.d = '/d'"}}));
    EXPECT_EQ(line_of(text, "A "), "A = \"1\"  # web.toml:8");
    EXPECT_EQ(line_of(text, "B "), "B = \"2\"  # o.toml:1");
    EXPECT_EQ(line_of(text, "LANG"), "LANG = \"de\"  # o.toml:2");
    EXPECT_EQ(line_of(text, "F "), "F = \"file\"  # web.toml:5");
    EXPECT_EQ(line_of(text, "I "), "I = \"inherited\"  # web.toml:3");
    EXPECT_EQ(line_of(text, "USER"), "USER = \"www-data\"  # web.toml:2");
    EXPECT_EQ(line_of(text, "user"), "user = 33  # web.toml:2");
    EXPECT_EQ(line_of(text, "groups"), "groups = [4]  # web.toml:2");
    EXPECT_EQ(line_of(text, "STATE_DIRECTORY"), "STATE_DIRECTORY = \"/var/lib/s\"  # web.toml:6");
    EXPECT_EQ(line_of(text, "\"c\""), "\"c\" = \"/c\"  # web.toml:11");
    EXPECT_EQ(line_of(text, "\"d\""), "\"d\" = \"/d\"  # o.toml:3");
    EXPECT_EQ(line_of(text, "PATH"), "PATH = \"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"");
}

TEST(KeyPlaces, OfDefaultsAreTheirs) {
    const auto text =
        cat(configuration("[defaults]\nstop_timeout = '3s'\n[jobs.a]\nshell = 'x'\n[jobs.b]\nshell = 'x'\n"
                          "stop_timeout = '4s'"),
            1);
    EXPECT_EQ(line_of(text, "stop_timeout"), "stop_timeout = \"4s\"  # web.toml:7");
    EXPECT_EQ(line_of(cat(configuration("[defaults]\nstop_timeout = '3s'\n[jobs.a]\nshell = 'x'")), "stop_timeout"),
              "stop_timeout = \"3s\"  # web.toml:2");
}

TEST(KeyPlaces, TellWhatIsWrittenAndNotShown) {
    const auto text =
        cat(configuration("shell = 'x'\nrestart = 'always'\nlog.keep = 3",
                          {{"o.toml", "restart = 'on-failure'\nlog = { stdout = 'null', stderr = 'null' }"}}));
    EXPECT_EQ(line_of(text, "# restart"), "# restart is as by default, or has no effect  # o.toml:1");
    EXPECT_EQ(line_of(text, "# log.keep"), "# log.keep is as by default, or has no effect  # web.toml:3");
}

TEST(KeyPlaces, CannotBreakOutOfTheirComments) {
    const auto text = cat(configuration("shell = 'x'", {{"a\nshell = 'evil'\n\x1b", "stop_timeout = '3s'"}}));
    EXPECT_EQ(line_of(text, "stop_timeout"), "stop_timeout = \"3s\"  # a?shell = 'evil'??:1");
}

TEST(KeyPlaces, ReadBackAsTheSameJob) {
    const auto before = configuration(
        "command = ['/bin/web', '${job:port} # \"\\n']\nport_base = 8000\ninstances = 2\n"
        "env = { A = '# [x]\"\\u0001' }\nlog.stdout = '/a # b'");
    auto again = configuration(cat(before)).jobs.at(0);
    again.origin = before.jobs.at(0).origin;
    EXPECT_EQ(again, before.jobs.at(0)) << cat(before);
}

TEST(KeyPlaces, SurviveThePipe) {
    const auto before =
        configuration("[defaults]\nessential = true\n[jobs.a]\nshell = 'x'\n", {{"o.toml", "jobs.a.umask = '0077'"}});
    const auto after = decode_load_result(encode_load_result(before));
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(cat(std::get<0>(*after)), cat(before));
    EXPECT_NE(cat(before), to_toml(before.jobs[0]));
}

TEST(KeyPlaces, AreNoPartOfWhatAJobIs) {
    const auto before = configuration("shell = 'x'\numask = '0077'").jobs.at(0);
    const auto after = configuration("\n\nshell = 'x'\numask = '0077'").jobs.at(0);
    EXPECT_EQ(before, after);
    EXPECT_NE(to_toml_with_places(before), to_toml_with_places(after));
}

TEST(KeyPlaces, ThatMakeNoSenseAreLeftOut) {
    auto spec = configuration("shell = 'x'").jobs.at(0);
    for (const char* text : {"", " ", "x", ":", "1:", "2:1@0", "2:1@x\nf", "2:1@1\nf", "2:@0\nf", "999:1@0\nf",
                             "2:1@99999999999999999999\nf", "\n2:1"}) {
        spec.key_places.text = text;
        EXPECT_EQ(to_toml_with_places(spec), to_toml(spec)) << text;
    }
}

}  // namespace
}  // namespace procsup
