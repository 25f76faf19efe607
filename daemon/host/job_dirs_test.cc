#include "daemon/host/job_dirs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "daemon/host/credential_files.h"

namespace procsup {
namespace {

namespace fs = std::filesystem;

class JobDirs : public ::testing::Test {
protected:
    void SetUp() override {
        ASSERT_NE(mkdtemp(base_.data()), nullptr);
        chmod(base_.c_str(), 0755);
    }
    void TearDown() override { fs::remove_all(base_); }

    std::string path(const std::string& name) const { return base_ + "/" + name; }
    static struct stat status_of(const std::string& path) {
        struct stat status {};
        EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
        return status;
    }
    static std::string failure(const Result<Fd>& made) { return made ? "" : made.error().message; }

    const Owner own_{geteuid(), getegid()};
    const Owner nobody_{65534, 65534};
    std::string base_ = "/tmp/procsup_dirs.XXXXXX";
};

TEST_F(JobDirs, AreMadeWithTheirParents) {
    EXPECT_EQ(failure(make_job_dir(base_, "a/b/c", own_)), "");
    EXPECT_EQ(status_of(path("a/b/c")).st_mode & 07777, 0755u);
    EXPECT_EQ(failure(make_job_dir(path("missing/too"), "a", own_)), "");
    EXPECT_TRUE(fs::is_directory(path("missing/too/a")));
}

TEST_F(JobDirs, OnlyTheLastElementIsTheOwners) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    EXPECT_EQ(failure(make_job_dir(base_, "a/b", nobody_)), "");
    EXPECT_EQ(status_of(path("a")).st_uid, 0u);
    EXPECT_EQ(status_of(path("a/b")).st_uid, nobody_.uid);
    EXPECT_EQ(status_of(path("a/b")).st_gid, nobody_.gid);
}

TEST_F(JobDirs, AnExistingOneGetsItsOwnerButNotWhatIsInIt) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    fs::create_directory(path("a"));
    std::ofstream(path("a/file")) << "x";
    chmod(path("a").c_str(), 0700);
    EXPECT_EQ(failure(make_job_dir(base_, "a", nobody_)), "");
    EXPECT_EQ(status_of(path("a")).st_uid, nobody_.uid);
    EXPECT_EQ(status_of(path("a")).st_mode & 07777, 0700u);
    EXPECT_EQ(status_of(path("a/file")).st_uid, 0u);
}

TEST_F(JobDirs, NoLinkIsFollowed) {
    fs::create_directory(path("secret"));
    fs::create_symlink(path("secret"), path("last"));
    fs::create_symlink(path("secret"), path("first"));
    EXPECT_NE(failure(make_job_dir(base_, "last", nobody_)).find("must be no link"), std::string::npos);
    EXPECT_NE(failure(make_job_dir(base_, "first/in", nobody_)).find("must be no link"), std::string::npos);
    EXPECT_EQ(status_of(path("secret")).st_uid, geteuid());
    EXPECT_TRUE(fs::is_empty(path("secret")));
}

TEST_F(JobDirs, AFileInThePlaceIsAnError) {
    std::ofstream(path("a")) << "x";
    EXPECT_NE(failure(make_job_dir(base_, "a", own_)), "");
    EXPECT_NE(failure(make_job_dir(base_, "a/b", own_)), "");
    EXPECT_TRUE(fs::is_regular_file(path("a")));
}

// It could have been moved there, and must not be given away.
TEST_F(JobDirs, AnothersDirectoryInOneOfTheUsersIsRefused) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    EXPECT_EQ(failure(make_job_dir(base_, "a", nobody_)), "");
    fs::create_directory(path("a/roots"));
    EXPECT_NE(failure(make_job_dir(base_, "a/roots", nobody_)).find("belongs to uid 0"), std::string::npos);
    EXPECT_EQ(status_of(path("a/roots")).st_uid, 0u);
    EXPECT_EQ(failure(make_job_dir(base_, "a/own", nobody_)), "");
    EXPECT_EQ(status_of(path("a/own")).st_uid, nobody_.uid);
}

TEST_F(JobDirs, AreRemovedWithAllThatIsInThem) {
    EXPECT_EQ(failure(make_job_dir(base_, "a/b/c/d", own_)), "");
    std::ofstream(path("a/b/c/file")) << "x";
    fs::create_symlink("/etc", path("a/b/link"));
    EXPECT_TRUE(remove_job_dir(base_, "a/b"));
    EXPECT_FALSE(fs::exists(path("a/b")));
    EXPECT_TRUE(fs::exists(path("a")));
    EXPECT_TRUE(fs::exists("/etc/passwd"));
    EXPECT_TRUE(remove_job_dir(base_, "a/b"));
    EXPECT_TRUE(remove_job_dir(path("nowhere"), "x"));
}

TEST_F(JobDirs, WhatIsNoDirectoryWasNotMadeHereAndIsLeft) {
    fs::create_directory(path("kept"));
    std::ofstream(path("kept/file")) << "x";
    fs::create_symlink(path("kept"), path("link"));
    EXPECT_TRUE(remove_job_dir(base_, "link"));
    EXPECT_TRUE(fs::is_symlink(path("link")));
    EXPECT_FALSE(remove_job_dir(base_, "link/file"));
    EXPECT_TRUE(remove_job_dir(base_, "kept/file"));
    EXPECT_TRUE(fs::exists(path("kept/file")));
}

TEST_F(JobDirs, AreRemovedHoweverDeepTheyAre) {
    EXPECT_EQ(failure(make_job_dir(base_, "a", own_)), "");
    Fd at(open(path("a").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Longer than any path can be.
    for (int depth = 0; depth < 3000; ++depth) {
        ASSERT_EQ(mkdirat(at.get(), "deeper", 0700), 0);
        at.reset(openat(at.get(), "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (depth % 500 == 0) close(openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    EXPECT_TRUE(remove_job_dir(base_, "a"));
    EXPECT_FALSE(fs::exists(path("a")));
}

class RuntimeDirs : public JobDirs {
protected:
    void SetUp() override {
        JobDirs::SetUp();
        fs::create_directory(path("own"));
        fs::create_directory(path("run"));
    }
    std::string make(const std::string& name, const Owner& owner) const {
        return failure(make_runtime_dir(path("own"), path("run"), name, owner));
    }
    std::string remove(const std::string& name) const {
        const auto removed = remove_runtime_dir(path("own"), path("run"), name);
        return removed ? "" : removed.error().message;
    }
    std::string in_place(const std::string& name) const { return path("run/" + name); }
    bool none_is_noted() const { return fs::is_empty(path("own/made")); }

    const std::string refusal_ = "it is there already and procsupd has not made it; remove it, or use another name";
};

TEST_F(RuntimeDirs, AreMadeTakenAgainAndRemoved) {
    const Owner owner = geteuid() == 0 ? nobody_ : own_;
    EXPECT_EQ(make("shop/cache", owner), "");
    EXPECT_EQ(status_of(in_place("shop/cache")).st_uid, owner.uid);
    EXPECT_EQ(status_of(in_place("shop/cache")).st_mode & 07777, 0755u);
    EXPECT_EQ(status_of(in_place("shop")).st_uid, geteuid());
    EXPECT_EQ(status_of(path("own/made")).st_mode & 07777, 0700u);
    std::ofstream(in_place("shop/cache/file")) << "x";
    EXPECT_EQ(make("shop/cache", owner), "");
    EXPECT_TRUE(fs::exists(in_place("shop/cache/file")));
    EXPECT_EQ(remove("shop/cache"), "");
    EXPECT_FALSE(fs::exists(in_place("shop/cache")));
    EXPECT_TRUE(fs::is_empty(in_place("shop")));
    EXPECT_EQ(make("shop", own_), "");
    EXPECT_EQ(remove("shop"), "");
    EXPECT_TRUE(fs::is_empty(path("run")));
    EXPECT_TRUE(none_is_noted());
}

TEST_F(RuntimeDirs, OfOthersAreNeitherTakenNorRemoved) {
    fs::create_directories(in_place("precious/in"));
    EXPECT_EQ(make("precious", own_), "cannot use directory " + in_place("precious") + ": " + refusal_);
    EXPECT_EQ(remove("precious"), "");
    EXPECT_EQ(make("precious/own", own_), "");
    EXPECT_NE(make("precious", own_).find(refusal_), std::string::npos);
    EXPECT_EQ(remove("precious"), "");
    EXPECT_TRUE(fs::exists(in_place("precious/own")));
    EXPECT_EQ(remove("precious/own"), "");
    EXPECT_TRUE(fs::exists(in_place("precious/in")));
    EXPECT_TRUE(none_is_noted());
}

// Where numbers of inodes are given again at once, the second has that of the first.
TEST_F(RuntimeDirs, OfOthersInThePlaceOfOneThatWasMadeAreTheirs) {
    EXPECT_EQ(make("a", own_), "");
    for (int round = 0; round < 20; ++round) {
        fs::remove_all(in_place("a"));
        fs::create_directory(in_place("a"));
        EXPECT_NE(make("a", own_).find(refusal_), std::string::npos);
        EXPECT_NE(remove("a").find("somebody else has made it since"), std::string::npos);
    }
    EXPECT_TRUE(fs::exists(in_place("a")));
    fs::remove_all(in_place("a"));
    fs::create_symlink("/etc", in_place("a"));
    EXPECT_NE(make("a", own_).find("must be no link"), std::string::npos);
    EXPECT_EQ(remove("a"), "");
    EXPECT_TRUE(fs::is_symlink(in_place("a")));
    EXPECT_TRUE(none_is_noted());
    fs::remove(in_place("a"));
    EXPECT_EQ(make("a", own_), "");
    EXPECT_EQ(remove("a"), "");
}

TEST_F(RuntimeDirs, WhatAKilledOneHasLeftIsNoHindrance) {
    // Killed between making and naming; and between noting and naming, after which another made one.
    fs::create_directory(in_place(".procsupd-new-a"));
    EXPECT_EQ(make("a", own_), "");
    EXPECT_FALSE(fs::exists(in_place(".procsupd-new-a")));
    fs::rename(in_place("a"), in_place(".procsupd-new-a"));
    fs::create_directory(in_place("a"));
    EXPECT_NE(make("a", own_).find(refusal_), std::string::npos);
    fs::remove(in_place("a"));
    EXPECT_EQ(make("a", own_), "");
    EXPECT_FALSE(fs::exists(in_place(".procsupd-new-a")));
    EXPECT_EQ(remove("a"), "");
    EXPECT_TRUE(fs::is_empty(path("run")));
}

TEST_F(RuntimeDirs, OfAnotherUserAreNotGivenAway) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    EXPECT_EQ(make("a", own_), "");
    EXPECT_NE(make("a", nobody_).find("it is there already and belongs to uid 0"), std::string::npos);
    EXPECT_EQ(status_of(in_place("a")).st_uid, 0u);
    EXPECT_EQ(make("b", nobody_), "");
    EXPECT_EQ(make("b/in", nobody_), "");
    EXPECT_EQ(status_of(in_place("b/in")).st_uid, nobody_.uid);
    EXPECT_EQ(remove("b"), "");
    EXPECT_EQ(remove("b/in"), "");
    EXPECT_EQ(remove("a"), "");
    EXPECT_TRUE(none_is_noted());
}

TEST_F(RuntimeDirs, NeedAPlaceToBeNotedInThatIsOnlyOurs) {
    EXPECT_NE(failure(make_runtime_dir(path("none"), path("run"), "a", own_)).find("cannot make directory"),
              std::string::npos);
    fs::create_directory(path("elsewhere"));
    fs::create_symlink(path("elsewhere"), path("own/made"));
    EXPECT_NE(make("a", own_), "");
    EXPECT_TRUE(fs::is_empty(path("elsewhere")));
    EXPECT_FALSE(fs::exists(in_place("a")));
}

class CredentialFiles : public JobDirs {
protected:
    std::string source(const std::string& name, const std::string& text) {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    std::string lay_out(const std::vector<Credential>& credentials) {
        const auto done = lay_out_credentials(base_, "web@0", credentials, geteuid() == 0 ? nobody_ : own_);
        return done ? "" : done.error().message;
    }
    std::string read(const std::string& name) const {
        std::ifstream file(path("credentials/web@0/" + name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

TEST_F(CredentialFiles, AreForTheirOwnerAlone) {
    const std::string binary("\0secret\n\xFF", 9);
    EXPECT_EQ(lay_out({{"key", source("k", binary)}, {"empty", source("e", "")}}), "");
    EXPECT_EQ(read("key"), binary);
    EXPECT_EQ(read("empty"), "");
    EXPECT_EQ(status_of(path("credentials")).st_mode & 07777, 0711u);
    EXPECT_EQ(status_of(path("credentials")).st_uid, geteuid());
    const auto directory = status_of(path("credentials/web@0"));
    const auto file = status_of(path("credentials/web@0/key"));
    EXPECT_EQ(directory.st_mode & 07777, 0551u);
    EXPECT_EQ(file.st_mode & 07777, 0400u);
    const auto uid = geteuid() == 0 ? nobody_.uid : own_.uid;
    EXPECT_EQ(directory.st_uid, geteuid());
    EXPECT_EQ(file.st_uid, uid);
}

TEST_F(CredentialFiles, AreAllNewEachTime) {
    EXPECT_EQ(lay_out({{"old", source("k", "1")}, {"key", path("k")}}), "");
    source("k", "2");
    EXPECT_EQ(lay_out({{"key", path("k")}}), "");
    EXPECT_EQ(read("key"), "2");
    EXPECT_FALSE(fs::exists(path("credentials/web@0/old")));
    EXPECT_TRUE(remove_credentials(base_, "web@0"));
    EXPECT_FALSE(fs::exists(path("credentials/web@0")));
    EXPECT_TRUE(remove_credentials(base_, {}));
    EXPECT_FALSE(fs::exists(path("credentials")));
}

TEST_F(CredentialFiles, WhatCannotBeReadIsNamedAndNothingIsMade) {
    const auto expect = [&](const std::string& of, const std::string& what) {
        const auto message = lay_out({{"good", source("g", "x")}, {"key", of}});
        EXPECT_NE(message.find("credential 'key' from " + of), std::string::npos) << message;
        EXPECT_NE(message.find(what), std::string::npos) << message;
        EXPECT_FALSE(fs::exists(path("credentials/web@0")));
    };
    expect(path("absent"), "No such file or directory");
    expect(base_, "Is a directory");
    ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    expect(path("fifo"), "no regular file");
    expect("/dev/zero", "no regular file");
    expect(source("large", std::string((1 << 20) + 1, 'x')), "more than 1 MiB");
}

TEST_F(CredentialFiles, HaveACapForAllTogether) {
    const auto large = source("large", std::string(1 << 20, 'x'));
    std::vector<Credential> credentials;
    for (int i = 0; i < 16; ++i) credentials.push_back({"k" + std::to_string(i), large});
    EXPECT_EQ(lay_out(credentials), "");
    credentials.push_back({"last", source("small", "x")});
    EXPECT_NE(lay_out(credentials).find("more than 16 MiB"), std::string::npos);
}

TEST_F(CredentialFiles, AreNotPutBehindALink) {
    fs::create_directory(path("elsewhere"));
    fs::create_symlink(path("elsewhere"), path("credentials"));
    EXPECT_NE(lay_out({{"key", source("k", "x")}}), "");
    EXPECT_TRUE(fs::is_empty(path("elsewhere")));
}

TEST_F(CredentialFiles, ALinkInPlaceOfADirectoryIsAnError) {
    fs::create_directory(path("elsewhere"));
    fs::create_directory(path("credentials"));
    fs::create_symlink(path("elsewhere"), path("credentials/web@0"));
    EXPECT_NE(lay_out({{"key", source("k", "x")}}), "");
    EXPECT_TRUE(fs::is_empty(path("elsewhere")));
}

}  // namespace
}  // namespace procsup
