/* SPDX-License-Identifier: MIT */
/* Taking a text apart: blanks, quotes, backslashes, marks, and the column of every byte. */
#include "registry/words.h"
#include "unit/unit.h"

/* Words in brackets, marks bare, the end as a point; behind an @ the column of each. */
static void gives(const char *text, const char *expected)
{
    struct words words;
    struct leat_error error = {.size = sizeof(error)};
    char got[512] = "";
    size_t n = 0;
    assert_int_equal(words_split(&words, text, &error), 0);
    for (size_t i = 0; i < words.n; i++) {
        const struct word *w = &words.word[i];
        const char *form = w->kind == WORD_TEXT  ? "[%s]@%zu "
                           : w->kind == WORD_BAR ? "|%s@%zu "
                           : w->kind == WORD_AND ? "%s@%zu "
                                                 : ".%s@%zu";
        n += (size_t)snprintf(got + n, sizeof(got) - n, form, w->text, w->column);
    }
    words_free(&words);
    if (strcmp(got, expected) != 0)
        fail_msg("%s\n  gives  %s\n  wanted %s", text, got, expected);
}

static void blanks_and_bars(void **state UNUSED)
{
    gives("", ".@0");
    gives(" \t\n\v\f\r", ".@6");
    gives("a", "[a]@0 .@1");
    gives("a|b", "[a]@0 |@1 [b]@2 .@3");
    gives("  a  b\t|\n c ", "[a]@2 [b]@5 |@7 [c]@10 .@12");
    gives("||", "|@0 |@1 .@2");
    gives("\xff\x01\xc3\xa4|", "[\xff\x01\xc3\xa4]@0 |@4 .@5");
}

static void an_and_is_a_mark_only_alone(void **state UNUSED)
{
    gives("a & b", "[a]@0 &@2 [b]@4 .@5");
    gives("&", "&@0 .@1");
    gives("|&|", "|@0 &@1 |@2 .@3");
    gives("R&D", "[R&D]@0 .@3");
    gives("a& &b", "[a&]@0 [&b]@3 .@5");
    gives("&&", "[&&]@0 .@2");
    gives("'&' \"&\" \\&", "[&]@0 [&]@4 [&]@8 .@10");
}

static void quotes(void **state UNUSED)
{
    gives("'a | b'", "[a | b]@0 .@7");
    gives("exec:\"gzip -9\"|x", "[exec:gzip -9]@0 |@14 [x]@15 .@16");
    gives("a' 'b\" \"c", "[a b c]@0 .@9");
    gives("'' \"\"", "[]@0 []@3 .@5");
    gives("'\\' \"'\" '\"'", "[\\]@0 [']@4 [\"]@8 .@11");
    gives("\"\\\"\\\\\\$\\n\"", "[\"\\\\$\\n]@0 .@10");
    gives("\\\"a\\ b\\|\\\\\\\n", "[\"a b|\\\n]@0 .@12");
}

static void is_refused(const char *text, size_t column)
{
    struct words words;
    struct leat_error error = {.size = sizeof(error)};
    assert_int_equal(words_split(&words, text, &error), -EINVAL);
    words_free(&words);
    assert_int_equal(error.code, -EINVAL);
    assert_int_equal(error.offset, column);
    assert_int_equal(words_split(&words, text, NULL), -EINVAL);
    words_free(&words);
}

static void what_is_left_open(void **state UNUSED)
{
    is_refused("'", 0);
    is_refused("a | \"b", 4);
    is_refused("a''b'c", 4);
    is_refused("\"\\\"", 0);
    is_refused("\"\\", 0);
    is_refused("\\", 0);
    is_refused("a | b\\", 5);
}

/* Each byte of a word knows where it was, whatever was taken away before it, and the NUL where the word ended. */
static void every_byte_has_its_column(void **state UNUSED)
{
    struct words words;
    const char *text = " a\\b\"c\\\"d\"'e'f ";
    assert_int_equal(words_split(&words, text, NULL), 0);
    const char *word = words.word[0].text;
    assert_string_equal(word, "abc\"def");
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(text[words_column(&words, word + i)], word[i]);
    assert_int_equal(words_column(&words, word + 3), 7);
    assert_int_equal(words_column(&words, word + 7), 14);
    words_free(&words);
    words_free(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_and_bars),   cmocka_unit_test(an_and_is_a_mark_only_alone), cmocka_unit_test(quotes),
        cmocka_unit_test(what_is_left_open), cmocka_unit_test(every_byte_has_its_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
