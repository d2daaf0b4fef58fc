/* SPDX-License-Identifier: MIT */
/* Detects a list that never ends. A list comes in pages, and each page names the next one. If a server's pages lead
 * back to an earlier page, the client would ask for pages for ever. */
#ifndef STORE_CIRCLE_H
#define STORE_CIRCLE_H

#include "base/base.h"

/* Zero before the first use. */
struct circle {
    char *mark; /* a page that was requested before; NULL: none yet */
    uint64_t since, limit;
};

/* Records that `page` is requested next. Returns 0, -EBADMSG if it was requested before, or -ENOMEM. A circle of any
 * length is found after at most three times as many requests as it has pages. Two different pages are never
 * confused. */
int circle_check(struct circle *circle, const char *page);

void circle_clear(struct circle *circle);

#endif
