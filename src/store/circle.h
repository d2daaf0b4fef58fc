/* Lists come in pages, each of which names the next one. A server whose pages lead back to an earlier one would be
 * asked without an end. */
#ifndef STORE_CIRCLE_H
#define STORE_CIRCLE_H

#include "base/base.h"

/* All zero at first. */
struct circle {
    char *mark; /* a page that was asked for; NULL: none yet */
    uint64_t since, limit;
};

/* `page` names the page that is asked for next. 0; -EBADMSG: it was asked for before; -ENOMEM. A circle of any length
 * is found after at most three times as many pages as there are, and pages that differ are never taken for one. */
int circle_check(struct circle *circle, const char *page);

void circle_clear(struct circle *circle);

#endif
