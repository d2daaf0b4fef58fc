/* SPDX-License-Identifier: MIT */
/* The parts of a pipeline: what the program has handed in, and the filters that its options ask for. pipeline.c and
 * options.c write them, before the start alone. The endpoints and filters that they point to change as bytes move. */
#ifndef FLOW_PARTS_H
#define FLOW_PARTS_H

#include "engine/engine.h"
#include "node/filter.h"
#include "node/node.h"
#include "route/hop.h"

struct expectation {
    char algorithm[32];
    char hex[LEAT_DIGEST_HEX_MAX];
};

/* What the run does about a sink that lags. */
struct slow {
    enum leat_slow_sink policy;
    uint64_t spill; /* with LEAT_SLOW_SPILL: the most bytes of its file */
    char *folder;   /* of that file, a copy; NULL: TMPDIR or /var/tmp */
};

struct parts {
    struct leat_pipeline_options options; /* its strings point to the copies below */
    char *route, *engine_name, *expect, *buffer;
    const struct engine *engine;   /* that was asked for */
    struct leat_error bad_options; /* kept until a plan is asked for */

    leat_endpoint *source;
    leat_endpoint *sink[BRANCHES_MAX];
    struct slow slow[BRANCHES_MAX]; /* of each sink */
    size_t sinks;
    leat_filter *filter[FILTERS_ALL];
    size_t filters;
    size_t in_front; /* filters of the options, which stand before the program's filters */
    struct expectation expectation[EXPECTED_MAX];
    size_t expectations;
    bool has_named; /* the digest in the source's name is among them */
};

/* NULL: there is no source. */
static inline struct node *parts_source(const struct parts *parts)
{
    return parts->source ? &parts->source->node : NULL;
}

/* parts_filter_number turns a place in `filter` into the number by which the program knows the filter;
 * parts_filter_place does the reverse. The numbers of the program's filters come first, then those of the options'
 * filters, which stand before them in `filter`. */
static inline size_t parts_filter_number(const struct parts *parts, size_t place)
{
    return place >= parts->in_front ? place - parts->in_front : parts->filters - parts->in_front + place;
}

static inline size_t parts_filter_place(const struct parts *parts, size_t number)
{
    size_t handed_in = parts->filters - parts->in_front;
    return number < handed_in ? number + parts->in_front : number - handed_in;
}

/* options.c. options_take copies the options, once. It returns -ENOMEM, or -EINVAL and the like if the struct itself is
 * wrong; a wrong value of an option is recorded in bad_options. options_add_digests is called when all filters are
 * there. It adds a filter for each expected digest that no filter computes yet, and may be called again. */
int options_take(struct parts *parts, const struct leat_pipeline_options *options, struct leat_error *error);
int options_add_digests(struct parts *parts);

#endif
