/* SPDX-License-Identifier: MIT */
/* XML of stores: errors, documents that are cut, hostile ones. */
#include "store/s3/error.h"
#include "store/xml.h"
#include "unit/unit.h"

struct seen {
    char text[512];
    size_t n;
};

static void element(void *user, const char *path, const char *text)
{
    struct seen *seen = user;
    seen->n += (size_t)snprintf(seen->text + seen->n, sizeof(seen->text) - seen->n, "%s=%s;", path, text);
}

static int read_text(struct seen *seen, const char *text)
{
    static const struct xml_ops ops = {element};
    *seen = (struct seen){.n = 0};
    int r = xml_read(text, strlen(text), &ops, seen);
    unit_needs(r != -ELIBACC, "expat");
    return r;
}

static void test_paths_and_texts(void **state UNUSED)
{
    struct seen seen;
    assert_int_equal(read_text(&seen, "<?xml version='1.0'?><L><C><K>a &amp; b</K><S>1</S></C><T/></L>"), 0);
    assert_string_equal(seen.text, "L/C/K=a & b;L/C/S=1;L/C=;L/T=;L=;");
}

static void test_cut_and_broken(void **state UNUSED)
{
    struct seen seen;
    static const char *const bad[] = {"",        "x",          "<a>",
                                      "<a></b>", "<a>&e;</a>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read_text(&seen, bad[i]), -EBADMSG);
}

static void test_bounds(void **state UNUSED)
{
    struct seen seen;
    char text[XML_TEXT_MAX + 32];
    memset(text, 'x', sizeof(text));
    memcpy(text, "<a>", 3);
    strcpy(text + 3 + XML_TEXT_MAX, "</a>");
    assert_int_equal(read_text(&seen, text), -E2BIG);
    /* A name that is too long, of an element that is empty: it ends though it never began. */
    char empty[XML_PATH_MAX + 64] = "<Error><";
    memset(empty + 8, 'a', XML_PATH_MAX);
    strcpy(empty + 8 + XML_PATH_MAX, "/></Error>");
    assert_int_equal(read_text(&seen, empty), -EBADMSG);
    assert_int_equal(seen.n, 0);
    char deep[1024];
    for (size_t i = 0; i < sizeof(deep) - 1; i++)
        deep[i] = "<a>"[i % 3];
    deep[sizeof(deep) - 1] = '\0';
    assert_int_equal(read_text(&seen, deep), -EBADMSG);
}

static void assert_explained(const char *body, const char *wanted)
{
    char text[64];
    s3_error_explain(body, strlen(body), text, sizeof(text));
    assert_string_equal(text, wanted);
}

static void test_errors_are_explained(void **state UNUSED)
{
    struct seen seen;
    read_text(&seen, "<a/>"); /* is expat there? */
    assert_explained("<Error><Code>NoSuchKey</Code><Message>Gone\n now</Message></Error>", "NoSuchKey: Gone  now");
    assert_explained("<Error><Code>SlowDown</Code></Error>", "SlowDown");
    assert_explained("<Error><Code>Cut</Code><Mess", "Cut");
    assert_explained("<html><Code>x</Code></html>", "");
    assert_explained("not XML", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_and_texts),
        cmocka_unit_test(test_cut_and_broken),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_errors_are_explained),
    };
    return cmocka_run_group_tests_name("xml", tests, NULL, NULL);
}
