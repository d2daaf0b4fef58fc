/* SPDX-License-Identifier: MIT */
/* Misspelt words: the nearest are found, and nothing is near to what is far. */
#include "base/nearest.h"
#include "unit/unit.h"
#include <leat/base.h>

static const char *const words[] = {"digest", "digest-provider", "zstd", "unzstd", "sha256", "sha224", "sync", NULL};

static void near(const char *word, const char *wanted)
{
    char buffer[64];
    size_t count = leat_text_nearest(buffer, sizeof(buffer), word, strlen(word), words);
    assert_string_equal(buffer, wanted);
    assert_int_equal(count == 0, wanted[0] == '\0');
}

static void the_nearest_are_found(void **state UNUSED)
{
    near("digets", "digest");
    near("digst", "digest");
    near("ddigest", "digest");
    near("dig", "digest or digest-provider");
    near("sha265", "sha256");
    near("sha226", "sha256 or sha224");
    near("zstd", "zstd");
    near("snyc", "sync");
}

static void nothing_is_near_to_what_is_far(void **state UNUSED)
{
    char buffer[64], longest[300];
    near("", "");
    near("x", "");
    near("compress", "");
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    near(longest, "");
    assert_int_equal(leat_text_nearest(buffer, sizeof(buffer), "a", 1, (const char *const[]){NULL}), 0);
}

static void only_so_many_letters_of_the_word_count(void **state UNUSED)
{
    char buffer[64];
    assert_int_equal(leat_text_nearest(buffer, sizeof(buffer), "zsdt:level=3", 4, words), 1);
    assert_string_equal(buffer, "zstd");
}

static void short_buffers_are_not_overrun(void **state UNUSED)
{
    char buffer[4] = "###";
    assert_int_equal(leat_text_nearest(buffer, 3, "dig", 3, words), 2);
    assert_string_equal(buffer, "di");
    assert_int_equal(leat_text_nearest(NULL, 0, "dig", 3, words), 2);
}

static void sentences_have_the_list(void **state UNUSED)
{
    char text[UNKNOWN_MAX];
    assert_string_equal(unknown_word(text, "thing", "zsdt:x", 4, words),
                        "There is no thing 'zsdt'; did you mean zstd? Known are digest, digest-provider, zstd, unzstd, "
                        "sha256, sha224, sync");
    const char *many[40];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "abcdefgh";
    many[COUNT(many) - 1] = NULL;
    unknown_word(text, "thing", "x", 1, many);
    assert_int_equal(strlen(text), UNKNOWN_MAX - 1);
    assert_string_equal(text + strlen(text) - 4, " ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_are_found),
        cmocka_unit_test(nothing_is_near_to_what_is_far),
        cmocka_unit_test(only_so_many_letters_of_the_word_count),
        cmocka_unit_test(short_buffers_are_not_overrun),
        cmocka_unit_test(sentences_have_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
