/* The route table: for each kind of pair, the routes from the fastest on, and the measurement that says so. */
#ifndef ROUTE_TABLE_H
#define ROUTE_TABLE_H

#include "route/hop.h"

struct table_row {
    unsigned from, to; /* masks of 1 << enum node_kind; every branch must be in `to` */
    enum {
        TABLE_ANY,
        TABLE_OBSERVED, /* only where a filter looks at the bytes */
        TABLE_NETWORK,  /* only from a network file system */
        TABLE_TCP,      /* only to connections by TCP */
        TABLE_SHARED,   /* only on an engine that many streams share */
    } when;
    enum route_id order[ROUTE_IDS + 1]; /* ends in ROUTE_CHUNK */
    const char *why;
};

/* The first row that matches; the last matches everything. */
const struct table_row *table_find(const struct hop *hop);

#endif
