/* SPDX-License-Identifier: MIT */
/* The route table: for each pair of kinds of nodes, the routes, fastest first, and the measurement that shows it. */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include "route/hop.h"

struct table_row {
    unsigned from, to; /* masks of 1 << enum node_kind; every branch must be in `to` */
    enum {
        TABLE_ANY,
        TABLE_OBSERVED, /* only if a filter observes the bytes */
        TABLE_NETWORK,  /* only from a network file system */
        TABLE_TCP,      /* only to TCP connections */
        TABLE_SHARED,   /* only on an engine that many streams share */
    } when;
    enum route_id order[ROUTE_IDS + 1]; /* ends in ROUTE_CHUNK */
    const char *why;
};

/* Returns the first row that matches the hop. The last row matches every hop. */
const struct table_row *table_find(const struct hop *hop);

#endif
