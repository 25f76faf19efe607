#include "common/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace procsup {
namespace {

constexpr std::string_view kGood[] = {"",
                                      "plain",
                                      "\x7f",
                                      "\xc2\x80",
                                      "\xdf\xbf",
                                      "\xe0\xa0\x80",
                                      "\xed\x9f\xbf",
                                      "\xee\x80\x80",
                                      "\xef\xbf\xbf",
                                      "\xf0\x90\x80\x80",
                                      "\xf4\x8f\xbf\xbf"};
constexpr std::string_view kBad[] = {"\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc2",
                                     "\xe0\x9f\xbf", "\xed\xa0\x80",     "\xe2\x82",         "\xf0\x8f\xbf\xbf",
                                     "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
                                     "\xe2\x28\xa1"};

TEST(Utf8, AcceptsWellFormedText) {
    for (const auto text : kGood) EXPECT_TRUE(is_utf8(text)) << testing::PrintToString(text);
}

TEST(Utf8, RefusesOverlongCutOffAndForeignBytes) {
    for (const auto text : kBad) EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
}

TEST(Utf8, FindsABadByteAtAnyPlaceOfALongText) {
    for (std::size_t place = 0; place < 40; ++place) {
        std::string text(40, 'a');
        text[place] = '\xff';
        EXPECT_FALSE(is_utf8(text)) << place;
    }
}

TEST(Utf8, TellsTheLengthOfTheFirstSequence) {
    EXPECT_EQ(utf8_sequence("a\xc3\xa9"), 1u);
    EXPECT_EQ(utf8_sequence("\xc3\xa9z"), 2u);
    EXPECT_EQ(utf8_sequence("\xe2\x82\xac"), 3u);
    EXPECT_EQ(utf8_sequence("\xf0\x9f\x98\x80"), 4u);
    EXPECT_EQ(utf8_sequence("\xff"), 0u);
    EXPECT_EQ(utf8_sequence(""), 0u);
}

TEST(Utf8, KnowsHowMuchOfACharacterIsThere) {
    EXPECT_EQ(utf8_cut_short(""), 0u);
    EXPECT_EQ(utf8_cut_short("abc"), 0u);
    EXPECT_EQ(utf8_cut_short("abc\xC3"), 1u);
    EXPECT_EQ(utf8_cut_short("abc\xC3\xA4"), 0u);
    EXPECT_EQ(utf8_cut_short("\xE2\x82"), 2u);
    EXPECT_EQ(utf8_cut_short("\xF0\x9F\x98"), 3u);
    EXPECT_EQ(utf8_cut_short("\xF0\x9F\x98\x80"), 0u);
    EXPECT_EQ(utf8_cut_short("\x80\x80\x80"), 0u);
    EXPECT_EQ(utf8_cut_short("a\xFF"), 0u);
}

TEST(Utf8, BeginningsOfTextsHaveWholeCharacters) {
    EXPECT_EQ(beginning_of("sh -c x", 7), "sh -c x");
    EXPECT_EQ(beginning_of("sh -c xy", 7), "sh -c x...");
    EXPECT_EQ(beginning_of("a\xC3\xA4", 2), "a...");
    EXPECT_EQ(beginning_of("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 6), "\xF0\x9F\x98\x80...");
    EXPECT_EQ(beginning_of("\x80\x80\x80", 2), "...");
}

}  // namespace
}  // namespace procsup
