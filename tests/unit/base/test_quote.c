/* SPDX-License-Identifier: MIT */
/* Names for terminals: what is plain stays, all else is quoted as a shell reads it, or masked. */
#include "base/quote.h"
#include "unit/unit.h"
#include <leat/base.h>

static void quotes(const char *name, const char *wanted)
{
    char buffer[256];
    assert_int_equal(leat_text_quote(buffer, sizeof(buffer), name), strlen(wanted));
    assert_string_equal(buffer, wanted);
}

static void plain_names_stay(void **state UNUSED)
{
    const char *names[] = {"", "a b", "it's", "back\\slash", "\303\244\342\202\254\360\237\230\200", "exec:cat | x"};
    for (size_t i = 0; i < COUNT(names); i++)
        quotes(names[i], names[i]);
}

static void control_characters_are_quoted(void **state UNUSED)
{
    quotes("a\nb", "'a'$'\\n''b'");
    quotes("\033[31m", "''$'\\033''[31m'");
    quotes("it's\a", "'it'\\''s'$'\\a'");
    quotes("\177", "''$'\\177'");
    quotes("x\302\233y", "'x'$'\\302\\233''y'");          /* CSI of 8 bits */
    quotes("x\342\200\256y", "'x'$'\\342\\200\\256''y'"); /* from right to left */
}

static void bytes_that_are_no_letters_are_quoted(void **state UNUSED)
{
    quotes("x\377", "'x'$'\\377'");
    quotes("\303", "''$'\\303'");
    quotes("\300\200", "''$'\\300\\200'");          /* a NUL in two bytes */
    quotes("\355\240\200", "''$'\\355\\240\\200'"); /* half of a pair of UTF-16 */
    quotes("\364\220\200\200", "''$'\\364\\220\\200\\200'");
    quotes("\233", "''$'\\233'");
}

/* The length is that of the whole, and what fits is stored, as by snprintf. */
static void short_buffers_are_not_overrun(void **state UNUSED)
{
    char buffer[8];
    for (size_t size = 0; size <= sizeof(buffer); size++) {
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(leat_text_quote(buffer, size, "a\nb"), 11);
        for (size_t i = size; i < sizeof(buffer); i++)
            assert_int_equal(buffer[i], '#');
        if (size)
            assert_int_equal(strlen(buffer), size - 1);
    }
    assert_int_equal(leat_text_quote(NULL, 0, "abc"), 3);
}

static void masks(const char *text, const char *wanted)
{
    char buffer[64];
    snprintf(buffer, sizeof(buffer), "%s", text);
    quote_mask(buffer);
    assert_string_equal(buffer, wanted);
}

static void masks_keep_letters(void **state UNUSED)
{
    masks("", "");
    masks("a\033b\nc", "a?b?c");
    masks("\303\244\342\202\254", "\303\244\342\202\254");
    masks("a\377b", "a?b");
    masks("a\342\202", "a"); /* cut within a letter */
    masks("a\303", "a");
    masks("\200\200\200\200\200", "?????");
}

static void logins_are_left_out(void **state UNUSED)
{
    static const char *const rows[][2] = {
        {"x://user:pass@host/a", "host/a"},
        {"HTTP://user:pass@host", "host"},
        {"a+b-c.1://u@v:w@host?x@y", "host?x@y"},
        {"x://user:@", ""},
        {"http://host/a@b", "http://host/a@b"},
        {"s3://bucket/u:p@h", "s3://bucket/u:p@h"},
        {"x://host#u@h", "x://host#u@h"},
        {"x:u:p@h", "x:u:p@h"},
        {"./x://u:p@h", "./x://u:p@h"},
        {"://u:p@h", "://u:p@h"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(quote_without_login(rows[i][0]), rows[i][1]);
}

static void queries_of_urls_are_not_shown(void **state UNUSED)
{
    static const struct {
        const char *spec, *shown;
    } rows[] = {
        {"http://h/x?token=t", "http://h/x?"},
        {"https://h/x?", "https://h/x?"},
        {"http://u:p@h/x?a?b", "h/x?"},
        {"https://h/x", "https://h/x"},
        {"s3://b/k?versionId=v", "s3://b/k?versionId=v"},
        {"a?b", "a?b"},
        {"./http://h?x", "./http://h?x"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *shown = quote_without_login(rows[i].spec);
        assert_int_equal(quote_length(rows[i].spec), strlen(rows[i].shown));
        assert_memory_equal(shown, rows[i].shown, strlen(rows[i].shown));
    }
}

static void secrets_of_urls_are_left_out(void **state UNUSED)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"http://", "http://"},
        {"a@b?c", "a@b?c"},
        {"exec:curl -u a:b 'http://me:se@cret@a/b?secret' | x \"http://c/?secret\" y@z",
         "exec:curl -u a:b 'http://a/b' | x \"http://c/\" y@z"},
        {"x://u:p@h?a=b\nx://h/p#f\tx://u@h", "x://h\nx://h/p\tx://h"},
        {"http://h/?u=http://me:secret@h/?secret", "http://h/"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];
        strcpy(text, rows[i][0]);
        quote_hide_secrets(text);
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_names_stay),
        cmocka_unit_test(control_characters_are_quoted),
        cmocka_unit_test(bytes_that_are_no_letters_are_quoted),
        cmocka_unit_test(short_buffers_are_not_overrun),
        cmocka_unit_test(masks_keep_letters),
        cmocka_unit_test(logins_are_left_out),
        cmocka_unit_test(queries_of_urls_are_not_shown),
        cmocka_unit_test(secrets_of_urls_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
