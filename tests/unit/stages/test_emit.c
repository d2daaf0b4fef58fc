/* SPDX-License-Identifier: MIT */
/* emscripten: it has fewer threads
 * leat_work_emit with a time limit: what found no room in time is the caller's, and nothing is lost, doubled or out of
 * order. */
#include "unit/unit.h"
#include <leat/leat.h>
#include <stdatomic.h>

#define ITEMS 400
#define MADE  3 /* of each item */

struct scene {
    int next, got, limits;
    atomic_uint late; /* calls whose time was up */
    bool many, ordered;
    unsigned char seen[ITEMS * MADE];
};

static int numbers[ITEMS], made[ITEMS * MADE];

static int source(void *user, void **ret_item)
{
    struct scene *s = user;
    if (s->next == ITEMS)
        return LEAT_STAGES_END;
    numbers[s->next] = s->next;
    *ret_item = &numbers[s->next++];
    return 0;
}

static int emit_all(struct scene *s, leat_work *work, void *const *items)
{
    for (size_t i = 0, n = MADE; i < MADE; i += n) {
        int r = s->many ? leat_work_emit_many(work, items + i, MADE - i, &n, (int)(i + (size_t)s->limits) % 3)
                        : leat_work_emit(work, items[i], s->limits % 3);
        bool late = r == -EAGAIN || r == -ETIMEDOUT;
        if (r < 0 && !late)
            return r;
        atomic_fetch_add(&s->late, late);
        if (!s->many)
            n = !late;
        assert_true(n <= MADE - i && (late || n == (s->many ? MADE - i : 1)));
    }
    return 0;
}

static int multiply(leat_work *work, void *item, void *user)
{
    int number = *(int *)item;
    void *items[MADE];
    for (int i = 0; i < MADE; i++) {
        made[number * MADE + i] = number * MADE + i;
        items[i] = &made[number * MADE + i];
    }
    return emit_all(user, work, items);
}

/* It is slow, so that the stage before it finds no room. */
static int sink(void *user, void *item)
{
    struct scene *s = user;
    int number = *(int *)item;
    if (s->got % 16 == 0)
        usleep(1000);
    if (s->ordered && number != s->got)
        fail_msg("%d comes as number %d", number, s->got);
    assert_int_equal(s->seen[number]++, 0);
    s->got++;
    return 0;
}

static void run(struct scene s, uint32_t workers)
{
    leat_stages *stages;
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    options.queue = 2;
    assert_int_equal(leat_stages_new(&stages, &options, NULL), 0);
    stage.name = "multiply";
    stage.function = multiply;
    stage.user = &s;
    stage.workers = workers;
    stage.ordered = s.ordered;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    int r = leat_stages_run(stages, source, &s, sink, &s, &error);
    if (r < 0)
        fail_msg("%u workers: %s", workers, error.text);
    leat_stages_free(stages);
    assert_int_equal(s.got, ITEMS * MADE);
    assert_true(s.limits || atomic_load(&s.late) > 0);
}

static void nothing_is_lost_or_doubled(void **state UNUSED)
{
    for (int limits = 0; limits < 3; limits++)
        for (int many = 0; many <= 1; many++) {
            run((struct scene){.limits = limits, .many = many, .ordered = true}, 1);
            run((struct scene){.limits = limits, .many = many}, 3);
        }
}

static void the_order_stays(void **state UNUSED)
{
    for (int limits = 0; limits < 3; limits++)
        for (int many = 0; many <= 1; many++)
            run((struct scene){.limits = limits, .many = many, .ordered = true}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_or_doubled),
        cmocka_unit_test(the_order_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
