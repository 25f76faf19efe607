#include "daemon/broker/names.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace procsup::broker {
namespace {

TEST(CoordinatedNames, WithoutASlashAreTheCallersOwn) {
    EXPECT_EQ(*full_name("backup", 1000), "user/1000/backup");
    EXPECT_EQ(*full_name("user/1000/backup", 1000), "user/1000/backup");
    EXPECT_EQ(own_name("user/1000/backup", 1000), "backup");
    EXPECT_EQ(own_name("user/1000/backup", 0), "user/1000/backup");
    EXPECT_EQ(own_name("user/1000/db/backup", 1000), "user/1000/db/backup")
        << "without its beginning it would be another";
}

TEST(CoordinatedNames, OfOthersAreForRootAlone) {
    EXPECT_EQ(full_name("user/1001/backup", 1000).error().os_error, EACCES);
    EXPECT_EQ(full_name("user/100/backup", 1000).error().os_error, EACCES);
    EXPECT_EQ(full_name("shop/tickets", 1000).error().os_error, EACCES);
    EXPECT_EQ(full_name("shop/tickets", 0).error().os_error, EACCES) << "whose is it?";
    EXPECT_EQ(*full_name("user/1001/backup", 0), "user/1001/backup");
}

TEST(CoordinatedNames, AreMadeOfWhatIsSafeToPrint) {
    const std::string longest(64, 'a');
    EXPECT_TRUE(full_name(longest, 0));
    const std::string too_long = "user/0/" + longest + "/" + longest + "/" + longest + "/b";
    for (const std::string& name :
         {std::string(), std::string("a b"), std::string("-a"), std::string("../a"), std::string("a//b"),
          std::string("/a"), std::string("a/"), std::string("a\n"), std::string("a\0b", 3), longest + "a", too_long})
        EXPECT_EQ(full_name(name, 0).error().os_error, EINVAL) << name;
}

}  // namespace
}  // namespace procsup::broker
