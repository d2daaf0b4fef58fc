/* SPDX-License-Identifier: MIT */
/* What the header Link names as the next page. */
#include "store/oci/link.h"
#include "unit/unit.h"
#include <errno.h>

static void test_links(void **state UNUSED)
{
    static const struct {
        const char *text, *next; /* NULL: there is none */
        int code;
    } rows[] = {
        {"</v2/a/tags/list?last=x&n=2>; rel=\"next\"", "/v2/a/tags/list?last=x&n=2", 0},
        {"</a>;rel=next", "/a", 0},
        {"</a> ; REL = \"Next\" ; title=x", "/a", 0},
        {"</a>; rel=\"prev next\"", "/a", 0},
        {"</a>; rel=\"nexty\"", NULL, 0},
        {"</a>; rel=\"prev\"; rel=next", NULL, 0}, /* the first one counts */
        {"</next>; rel=prev, </b>; rel=next", "/b", 0},
        {"</a,b>; rel=first, </c;d>; rel=next", "/c;d", 0},
        {"</a>; title=\"x, </y>; rel=next\"", NULL, 0},
        {"</a>; title=\"\\\", </y>; rel=next; \"; rel=next", "/a", 0},
        {"</a>; rel=next; anchor=\"#x\"", NULL, 0},
        {"</a>; rel=next; anchor=\"#x\", </b>; rel=next", "/b", 0},
        {"</a>; flag; rel=next", "/a", 0},
        {"</a>;; rel=next", "/a", 0},
        {", , </a>; rel=next,", "/a", 0},
        {"<>; rel=next", "", 0},
        {"</a>", NULL, 0},
        {"</a>; rel", NULL, 0},
        {"</a>; rel=", NULL, 0},
        {"", NULL, 0},
        {"</a; rel=next", NULL, -EBADMSG},
        {"/a; rel=next", NULL, -EBADMSG},
        {"</a>; rel=\"next", NULL, -EBADMSG},
        {"</a>; rel=\"next\\", NULL, -EBADMSG},
        {"</a> rel=next", NULL, -EBADMSG},
        {"</a>; rel=next x", NULL, -EBADMSG},
        {"</a>; rel=first, b", NULL, -EBADMSG},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *next = NULL;
        assert_int_equal(link_next(rows[i].text, &next), rows[i].code);
        if (rows[i].next)
            assert_string_equal(next, rows[i].next);
        else
            assert_null(next);
        free(next);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
