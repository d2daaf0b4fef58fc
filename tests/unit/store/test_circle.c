/* SPDX-License-Identifier: MIT */
/* Pages of lists that lead back to an earlier one. */
#include "store/circle.h"
#include "unit/unit.h"
#include <errno.h>

/* Asks for `before` pages and then around a circle of `around`; how many it took until that was noticed. */
static unsigned pages_until_found(unsigned before, unsigned around)
{
    struct circle circle = {.mark = NULL};
    char page[16];
    unsigned asked = 0;
    int r = 0;
    while (r == 0 && asked < 100000) {
        unsigned at = asked < before ? asked : before + (asked - before) % around;
        snprintf(page, sizeof(page), "%u", at);
        r = circle_check(&circle, page);
        asked++;
    }
    circle_clear(&circle);
    assert_int_equal(r, -EBADMSG);
    return asked;
}

static void test_circles_are_found(void **state UNUSED)
{
    for (unsigned before = 0; before < 70; before += 1 + before / 8)
        for (unsigned around = 1; around < 70; around += 1 + around / 8) {
            unsigned asked = pages_until_found(before, around);
            assert_true(asked > before + around); /* no page was there before that */
            assert_true(asked <= 3 * (before + around) + 1);
        }
}

static void test_long_lists_end(void **state UNUSED)
{
    struct circle circle = {.mark = NULL};
    char page[16];
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(page, sizeof(page), "%u", i);
        assert_int_equal(circle_check(&circle, page), 0);
    }
    circle_clear(&circle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_circles_are_found),
        cmocka_unit_test(test_long_lists_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
