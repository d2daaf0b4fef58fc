/* SPDX-License-Identifier: MIT */
/* Transforming filters for tests. Numbers say what a filter does, and a model computes what must come out. */
#ifndef TESTS_FLOW_MACHINE_H
#define TESTS_FLOW_MACHINE_H

#include "node/filter.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A plan with only `every` and `times` set does the least. */
struct machine_plan {
    uint64_t behind;
    unsigned every; /* the last one of so many bytes passes */
    unsigned times; /* and comes out so many times */
    bool hoards;    /* nothing comes out before the input has ended */
    bool drips;     /* it gives one byte at a time and says that it is full */
    bool fails;     /* it fails after `behind` bytes, with `code` (0: -EILSEQ) ... */
    bool ends;      /* ... or it wants no more */
    unsigned lies;  /* 1: says full though there is room; 2: says done before it has taken all; 3: returns nonsense */
    int code;
};

static const struct machine_plan UNUSED machine_same = {.every = 1, .times = 1};
static const struct machine_plan UNUSED machine_twice = {.every = 1, .times = 2};
static const struct machine_plan UNUSED machine_half = {.every = 2, .times = 1};
static const struct machine_plan UNUSED machine_hoard = {.every = 1, .times = 1, .hoards = true};
static const struct machine_plan UNUSED machine_drip = {.every = 1, .times = 1, .drips = true};
static const struct machine_plan UNUSED machine_bomb = {.every = 1, .times = 1000};

struct machine {
    leat_filter filter;
    struct machine_plan plan;
    uint64_t at;
    uint8_t byte;
    unsigned left; /* how many more times the byte is given */
    uint8_t *hoard;
    size_t hoarded, given;
    unsigned finishes;
};

static void machine_give(struct machine *m, struct filter_buffers *b)
{
    size_t n = MIN(m->left, m->plan.drips ? MIN(b->out_n, 1u) : b->out_n);
    memset(b->out, m->byte, n);
    b->out += n;
    b->out_n -= n;
    m->left -= (unsigned)n;
}

static int machine_keep(struct machine *m, struct filter_buffers *b, int mode)
{
    if (b->in_n) {
        m->hoard = realloc(m->hoard, m->hoarded + b->in_n);
        memcpy(m->hoard + m->hoarded, b->in, b->in_n);
        m->hoarded += b->in_n;
        b->in += b->in_n;
        b->in_n = 0;
    }
    if (mode != LEAT_FILTER_FINISH)
        return LEAT_FILTER_DONE;
    size_t n = MIN(m->hoarded - m->given, b->out_n);
    if (n)
        memcpy(b->out, m->hoard + m->given, n);
    b->out += n;
    b->out_n -= n;
    m->given += n;
    return m->given < m->hoarded ? LEAT_FILTER_FULL : LEAT_FILTER_DONE;
}

static int machine_transform(leat_filter *filter, struct filter_buffers *b, int mode, struct leat_error *error)
{
    struct machine *m = (struct machine *)filter;
    m->finishes += mode == LEAT_FILTER_FINISH;
    if (m->plan.lies)
        return m->plan.lies == 1 ? LEAT_FILTER_FULL : m->plan.lies == 2 ? LEAT_FILTER_DONE : 77;
    if (m->plan.hoards)
        return machine_keep(m, b, mode);
    for (;;) {
        if (m->left) {
            machine_give(m, b);
            if (m->left || m->plan.drips)
                return LEAT_FILTER_FULL;
        }
        if (m->at == m->plan.behind && m->plan.fails)
            return error_set(error, m->plan.code ? m->plan.code : -EILSEQ, "It was told to fail");
        if (m->at == m->plan.behind && m->plan.ends)
            return LEAT_FILTER_ENDED;
        if (!b->in_n)
            return LEAT_FILTER_DONE;
        m->byte = *b->in++;
        b->in_n--;
        if (++m->at % m->plan.every == 0)
            m->left = m->plan.times;
    }
}

static int machine_start(leat_filter *filter, uint64_t expected UNUSED, struct leat_error *error UNUSED)
{
    struct machine *m = (struct machine *)filter;
    m->at = m->hoarded = m->given = 0;
    m->left = 0;
    return 0;
}

static uint64_t machine_memory(const leat_filter *filter UNUSED)
{
    return 1000;
}

static void machine_free(leat_filter *filter)
{
    struct machine *m = (struct machine *)filter;
    free(m->hoard);
    free(m);
}

static const struct filter_ops machine_ops = {
    .name = "machine",
    .caps = FILTER_TRANSFORMS,
    .start = machine_start,
    .transform = machine_transform,
    .memory = machine_memory,
    .free = machine_free,
};

static inline leat_filter *machine(struct machine_plan plan)
{
    struct machine *m = calloc(1, sizeof(*m));
    filter_init(&m->filter, &machine_ops);
    m->plan = plan;
    return &m->filter;
}

/* Returns what the machine makes of these bytes and sets *n to their number. Frees the input. */
static inline uint8_t *machine_model(struct machine_plan plan, uint8_t *bytes, size_t *n)
{
    size_t take = plan.ends ? MIN(*n, plan.behind) : *n, made = 0;
    uint8_t *out = malloc(take / plan.every * plan.times + 1);
    for (size_t i = plan.every - 1; i < take; i += plan.every, made += plan.times)
        memset(out + made, bytes[i], plan.times);
    free(bytes);
    *n = made;
    return out;
}

#endif
