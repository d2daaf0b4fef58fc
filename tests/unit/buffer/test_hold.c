/* The hold and the arithmetic of its level: random schedules of puts, takes and releases against a model. */
#include "buffer/hold.h"
#include "buffer/pool.h"
#include "unit/unit.h"

#define ROUNDS    1000
#define VIEWS_MAX 16

static uint8_t letter(uint64_t at)
{
    return (uint8_t)(at * 7 + at / 256);
}

static uint64_t dice;

static unsigned roll(unsigned sides)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(dice >> 33) % sides;
}

struct trial {
    struct hold hold;
    struct port putter, taker;
    uint64_t put, taken, size, start, stop;
    bool takes, gives, ended, over; /* as the model has it */
    struct chunk *view[VIEWS_MAX];
    size_t views;
};

static void open_trial(struct trial *t, uint64_t size, unsigned start, unsigned stop, leat_pool *store)
{
    *t = (struct trial){.size = size,
                        .start = water_percent(size, start),
                        .stop = water_percent(size, stop),
                        .takes = true,
                        .gives = start == 0};
    struct water water = water_of(size, start, stop);
    port_init(&t->putter, -1, 0);
    port_init(&t->taker, -1, 0);
    hold_init(&t->hold);
    assert_int_equal(hold_open(&t->hold, &water, store, &t->putter, &t->taker), 0);
}

static void close_trial(struct trial *t)
{
    while (t->views)
        chunk_unref(t->view[--t->views]);
    hold_destroy(&t->hold);
    assert_true(t->hold.budget.used == 0);
}

static void put(struct trial *t, size_t n)
{
    static uint8_t bytes[100000];
    for (size_t i = 0; i < n; i++)
        bytes[i] = letter(t->put + i);
    uint64_t level = t->put - t->taken, room = t->takes ? t->size - level : 0;
    ssize_t r = hold_put(&t->hold, bytes, n);
    assert_int_equal(r, room ? (ssize_t)MIN(n, room) : -EAGAIN);
    if (r < 0)
        return;
    level += (uint64_t)r;
    t->put += (uint64_t)r;
    t->gives |= level >= t->start;
    if (level == t->size) {
        t->takes = false;
        t->gives = true;
    }
}

static void take(struct trial *t, size_t n)
{
    struct chunk *chunk = NULL;
    uint64_t level = t->put - t->taken;
    ssize_t r = hold_take(&t->hold, n, &chunk);
    if (level && (t->gives || t->ended)) {
        if (r == -EAGAIN) { /* there are too many views */
            assert_true(t->views >= 2);
            return;
        }
        assert_true(r > 0 && (size_t)r <= n && (size_t)r == chunk->length);
    } else
        assert_int_equal(r, level == 0 && t->ended ? 0 : -EAGAIN);
    t->over |= r == 0;
    if (r <= 0)
        return;
    for (size_t i = 0; i < (size_t)r; i++)
        assert_int_equal(chunk->data[i], letter(t->taken + i));
    t->taken += (uint64_t)r;
    level -= (uint64_t)r;
    t->takes |= level <= t->stop && level < t->size;
    if (level == 0 && !t->ended)
        t->gives = t->start == 0;
    assert_true(t->views < VIEWS_MAX);
    t->view[t->views++] = chunk;
}

static void release(struct trial *t)
{
    if (!t->views)
        return;
    size_t i = roll((unsigned)t->views);
    chunk_unref(t->view[i]);
    t->view[i] = t->view[--t->views];
}

static void step(struct trial *t, uint64_t bytes)
{
    size_t n = 1 + (roll(2) ? roll(20) : roll(100000 - 1));
    switch (roll(3)) {
    case 0:
        if (t->put < bytes)
            put(t, (size_t)MIN(n, bytes - t->put));
        else if (!t->ended) {
            hold_end(&t->hold);
            t->ended = true;
        }
        break;
    case 1:
        take(t, n);
        break;
    default:
        release(t);
    }
    struct water water = hold_look(&t->hold);
    assert_true(water.level == t->put - t->taken && water.level <= t->size);
    assert_true(t->hold.budget.used <= hold_memory(t->size));
}

/* Some schedules are left in the middle, as by a cancel. */
static void random_schedules(void **state UNUSED)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct trial t;
        dice = round;
        uint64_t size = roll(3) ? 1 + roll(300000) : 1 + roll(10);
        uint64_t bytes = size < 20 ? roll(500) : roll(1000000);
        uint64_t most = roll(4) ? UINT64_MAX : roll(200);
        open_trial(&t, size, roll(2) ? roll(101) : 0, roll(2) ? 1 + roll(100) : 100, NULL);
        for (uint64_t i = 0; i < most && !t.over; i++)
            step(&t, bytes);
        assert_true(!t.over || t.taken == bytes);
        close_trial(&t);
    }
}

/* Each side that got -EAGAIN is told as soon as it may go on, and not before. */
static void sides_are_told(void **state UNUSED)
{
    struct trial t;
    open_trial(&t, 100, 50, 20, NULL);
    take(&t, 10);
    put(&t, 49);
    assert_false(port_take_notice(&t.taker));
    put(&t, 1);
    assert_true(port_take_notice(&t.taker));
    put(&t, 100);
    assert_int_equal(t.put, 100);
    put(&t, 1);
    take(&t, 79);
    assert_false(port_take_notice(&t.putter));
    take(&t, 1);
    assert_true(port_take_notice(&t.putter));
    take(&t, 20);
    take(&t, 1);
    put(&t, 10);
    assert_false(port_take_notice(&t.taker));
    hold_end(&t.hold);
    t.ended = true;
    release(&t);
    assert_true(port_take_notice(&t.taker));
    take(&t, 10);
    take(&t, 1);
    assert_true(t.over);
    struct water water = hold_look(&t.hold);
    assert_int_equal(water.top, 100);
    assert_int_equal(water.filled, 1);
    assert_int_equal(water.emptied, 1);
    close_trial(&t);
}

/* Without memory for more, it counts as full at whatever level, so that neither side waits for the other. */
static void a_pool_without_memory(void **state UNUSED)
{
    struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
    leat_pool *pool;
    struct trial t;
    uint8_t bytes[4 * PAGE] = {0};
    struct chunk *chunk;
    options.memory_limit = 2 * PAGE;
    assert_int_equal(leat_pool_new(&pool, &options), 0);
    open_trial(&t, 16 * PAGE, 100, 100, pool);
    assert_int_equal(hold_put(&t.hold, bytes, sizeof(bytes)), 2 * PAGE);
    assert_int_equal(hold_put(&t.hold, bytes, 1), -EAGAIN);
    assert_int_equal(hold_take(&t.hold, SIZE_MAX, &chunk), PAGE);
    assert_int_equal(hold_put(&t.hold, bytes, 1), -EAGAIN);
    chunk_unref(chunk);
    assert_true(port_take_notice(&t.putter));
    assert_int_equal(hold_put(&t.hold, bytes, 2 * PAGE), PAGE);
    close_trial(&t);
    leat_pool_free(pool);
}

static void memory_comes_and_goes(void **state UNUSED)
{
    struct trial t;
    open_trial(&t, 16 << 20, 0, 100, NULL);
    assert_true(t.hold.budget.used == 0);
    while (t.put < t.size)
        put(&t, 100000);
    assert_true(t.hold.budget.used >= t.size);
    while (t.taken < t.put) {
        take(&t, SIZE_MAX);
        release(&t);
    }
    assert_true(t.hold.budget.used <= 2 << 20);
    close_trial(&t);
}

static void percentages_of_any_size(void **state UNUSED)
{
    assert_true(water_percent(UINT64_MAX, 100) == UINT64_MAX);
    assert_true(water_percent(UINT64_MAX, 50) == UINT64_MAX / 2);
    assert_true(water_percent(UINT64_C(5) << 40, 1) == (UINT64_C(5) << 40) / 100);
    assert_true(water_percent(1, 99) == 0);
    assert_true(water_percent(0, 100) == 0);
    assert_true(hold_memory(INT64_MAX) >= INT64_MAX);
}

/* A buffer that starts at once at any level, even where the level rounds to no byte. */
static void an_empty_start(void **state UNUSED)
{
    struct trial t;
    open_trial(&t, 3, 1, 1, NULL);
    put(&t, 2);
    take(&t, 5);
    put(&t, 3);
    assert_int_equal(t.put, 5);
    close_trial(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_schedules),        cmocka_unit_test(sides_are_told),
        cmocka_unit_test(a_pool_without_memory),   cmocka_unit_test(memory_comes_and_goes),
        cmocka_unit_test(percentages_of_any_size), cmocka_unit_test(an_empty_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
