/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of stages. Items are numbers from 1 on, stored as pointers. `disposed` counts the items that
 * were disposed of. */
#ifndef TESTS_STAGES_NUMBERS_H
#define TESTS_STAGES_NUMBERS_H

#include "stages/stages.h"
#include "unit/unit.h"
#include <pthread.h>
#include <stdatomic.h>

static char numbers[100001];
static atomic_uint disposed, called;
static unsigned given, wanted; /* by the source */

static inline void *item_of(unsigned number)
{
    return &numbers[number];
}

static inline unsigned number_of(const void *item)
{
    return (unsigned)((const char *)item - numbers);
}

static inline void dispose(void *user UNUSED, void *item UNUSED)
{
    atomic_fetch_add(&disposed, 1);
}

static inline int next(void *user UNUSED, void **ret)
{
    if (given == wanted)
        return LEAT_STAGES_END;
    *ret = item_of(++given);
    return 0;
}

static inline void begin(unsigned items)
{
    given = 0;
    wanted = items;
    disposed = called = 0;
}

struct list {
    unsigned n, number[1000];
};

static inline int gather(void *user, void *item)
{
    struct list *list = user;
    list->number[list->n++] = number_of(item);
    return 0;
}

static inline int pass(leat_work *work, void *item, void *user UNUSED)
{
    atomic_fetch_add(&called, 1);
    leat_work_emit(work, item, -1);
    return 0;
}

static inline struct leat_stage stage_with(leat_stage_fn function, uint32_t workers)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "step";
    stage.function = function;
    stage.workers = workers;
    stage.dispose = dispose;
    return stage;
}

static inline leat_stages *stages_with(const struct leat_stage *stage)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    leat_stages *stages;
    options.dispose = dispose;
    options.queue = 4;
    assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
    if (stage)
        assert_int_equal(leat_stages_add(stages, stage, NULL), 0);
    return stages;
}

static inline int run(leat_stages *stages, struct list *list, struct leat_error *error)
{
    list->n = 0;
    return leat_stages_run(stages, next, NULL, gather, list, error);
}

static inline void is_sequence(const struct list *list, unsigned n)
{
    assert_int_equal(list->n, n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(list->number[i], i + 1);
}

#endif
