/* SPDX-License-Identifier: MIT */
/* Brent's algorithm. The mark stays for a number of pages that doubles each time. So at some time the mark is on the
 * circle and stays for longer than one round. */
#include "store/circle.h"
#include <errno.h>

int circle_check(struct circle *c, const char *page)
{
    if (c->mark && strcmp(c->mark, page) == 0)
        return -EBADMSG;
    if (c->mark && ++c->since < c->limit)
        return 0;
    char *mark = strdup(page);
    if (!mark)
        return -ENOMEM;
    free(c->mark);
    c->mark = mark;
    c->limit = c->limit ? 2 * c->limit : 1;
    c->since = 0;
    return 0;
}

void circle_clear(struct circle *c)
{
    free(c->mark);
    *c = (struct circle){.mark = NULL};
}
