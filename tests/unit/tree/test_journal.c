/* SPDX-License-Identifier: MIT */
/* The lock of a journal: it lasts as long as the journal is open, also if the process opens the file once more, as it
 * does with a source that has the journal in it. */
#include "base/platform.h"
#include "tree/journal/journal.h"
#include "unit/unit.h"
#include <fcntl.h>
#include <unistd.h>

static const struct record_head head = {.ranks = 1, .digest = "", .source = "/s", .target = "/t"};

static void a_journal_is_locked_until_it_is_closed(void **state UNUSED)
{
    struct tree_journal first, second;
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (!platform.sharing)
        skip(); /* POSIX has locks of processes alone */
    assert_int_equal(tree_journal_open(&first, "journal", &head, false, &error), 0);
    int fd = open("journal", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(tree_journal_open(&second, "journal", &head, true, &error), -EBUSY);
    assert_string_equal(error.text, "Another process uses the journal");
    assert_int_equal(tree_journal_close(&first, false, false), 0);
    assert_int_equal(tree_journal_open(&second, "journal", &head, false, &error), 0);
    assert_int_equal(tree_journal_close(&second, true, true), 0);
    assert_int_equal(access("journal", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_journal_is_locked_until_it_is_closed, unit_folder, unit_folder_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
