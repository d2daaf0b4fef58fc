/* SPDX-License-Identifier: MIT */
/* The journal of an upload: what was written is read again, and what others wrote does no harm. */
#include "store/journal.h"
#include "unit/unit.h"
#include <sys/stat.h>
#include <unistd.h>

#define SHA    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HEAD   "leat-upload 1\nobject http://h/b/k\n"
#define PART_1 "part 1 8388608 " SHA " \"etag one\"\n"

static int open_it(struct journal *j, const char *object)
{
    static char name[] = "journal";
    return journal_open(j, name, object, NULL);
}

static int open_text(struct journal *j, const char *text)
{
    unit_write("journal", text, strlen(text));
    return open_it(j, "http://h/b/k");
}

static void test_there_and_back(void **state UNUSED)
{
    struct journal j;
    struct stat st;
    assert_int_equal(open_it(&j, "http://h/b/k"), 0);
    assert_null(j.upload);
    assert_int_equal(stat("journal", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(journal_begin(&j, "upload/+1"), 0);
    assert_int_equal(journal_add(&j, 2, 5, SHA, "\"etag\""), 0);
    assert_int_equal(journal_add(&j, 10000, 7, SHA, "x y"), 0);
    journal_close(&j, false);
    assert_int_equal(open_it(&j, "http://h/b/k"), 0);
    assert_string_equal(j.upload, "upload/+1");
    assert_null(journal_part(&j, 0));
    assert_null(journal_part(&j, 1));
    assert_null(journal_part(&j, 10001));
    assert_true(journal_part(&j, 2)->size == 5 && journal_part(&j, 10000)->size == 7);
    assert_string_equal(journal_part(&j, 2)->etag, "\"etag\"");
    assert_string_equal(journal_part(&j, 10000)->etag, "x y");
    assert_string_equal(journal_part(&j, 2)->sha256, SHA);
    const struct journal_part *kept = journal_part(&j, 2);
    assert_int_equal(journal_begin(&j, "another"), 0); /* what was read stays: another thread may look at it */
    assert_ptr_equal(journal_part(&j, 2), kept);
    assert_string_equal(kept->etag, "\"etag\"");
    journal_forget(&j);
    assert_null(journal_part(&j, 2));
    journal_close(&j, false);
    assert_int_equal(open_it(&j, "http://h/b/k"), 0);
    assert_string_equal(j.upload, "another");
    assert_null(journal_part(&j, 2));
    journal_close(&j, true);
    assert_int_equal(access("journal", F_OK), -1);
}

static void test_what_is_no_journal(void **state UNUSED)
{
#define TEXT(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
    static const struct {
        const char *text;
        size_t n;
    } texts[] = {TEXT("x"),
                 TEXT("l"),
                 TEXT("leat-up"),
                 TEXT("leat-upload 1"),
                 TEXT("\0"),
                 TEXT("\0a disk of a user\n"),
                 TEXT("leat-upload 1\0\n"),
                 TEXT(HEAD "upload u\n\0"),
                 TEXT(HEAD "upl\0oad u\n" PART_1),
                 TEXT("leat-upload 2\n"),
                 TEXT("leat-upload 1\nx\n"),
                 TEXT("leat-upload 1 \n"),
                 TEXT("leat-upload 1\nobject http://h/b/other\n"),
                 TEXT("\n" HEAD)};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct journal j;
        struct stat st;
        unit_write("journal", texts[i].text, texts[i].n);
        assert_int_equal(open_it(&j, "http://h/b/k"), -EINVAL);
        assert_true(stat("journal", &st) == 0 && (size_t)st.st_size == texts[i].n); /* it is left alone */
    }
    unlink("journal");
}

static void test_a_long_path_leaves_room_for_the_reason(void **state UNUSED)
{
    struct leat_error error = {.size = sizeof(error)};
    struct journal j;
    char name[400];
    snprintf(name, sizeof(name), "%0399d", 0);
    assert_true(journal_open(&j, name, "http://h/b/k", &error) < 0);
    assert_non_null(strstr(error.text, "File name too long"));
}

static void test_cut_and_odd_lines(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool has_upload, has_part;
    } texts[] = {
        {"", false, false},
        {"leat-upload 1\nobj", false, false},
        {HEAD, false, false},
        {HEAD "uplo", false, false},
        {HEAD "upload u\n", true, false},
        {HEAD PART_1, false, false}, /* a part of no upload */
        {HEAD "upload u\n" PART_1, true, true},
        {HEAD "upload u\n" PART_1 "part 2 83", true, true},
        {HEAD "upload t\n" PART_1 "upload u\n", true, false},
        {HEAD "upload u\npart 0 1 " SHA " e\npart 10001 1 " SHA " e\npart 99999999999 1 " SHA " e\n", true, false},
        {HEAD "upload u\npart 1 1 abc e\npart 1 x " SHA " e\npart 1 1 " SHA "\npart 1 1 " SHA " \n", true, false},
        {HEAD "upload u\n" PART_1 "upload \n" PART_1, false, false}, /* an upload without a name is none */
        {HEAD "upload u\nsomething new\n" PART_1, true, true},
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct journal j;
        assert_int_equal(open_text(&j, texts[i].text), 0);
        assert_int_equal(j.upload != NULL, texts[i].has_upload);
        assert_int_equal(journal_part(&j, 1) != NULL, texts[i].has_part);
        assert_int_equal(j.upload ? 0 : journal_begin(&j, "u"), 0);
        assert_int_equal(journal_add(&j, 3, 1, SHA, "e"), 0); /* what comes now is not glued to a line that was cut */
        journal_close(&j, false);
        assert_int_equal(open_it(&j, "http://h/b/k"), 0);
        assert_string_equal(j.upload, "u");
        assert_non_null(journal_part(&j, 3));
        journal_close(&j, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_no_journal),
        cmocka_unit_test(test_a_long_path_leaves_room_for_the_reason),
        cmocka_unit_test(test_cut_and_odd_lines),
    };
    return cmocka_run_group_tests_name("journal", tests, unit_folder, unit_folder_gone);
}
