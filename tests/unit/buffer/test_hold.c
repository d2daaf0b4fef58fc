/* SPDX-License-Identifier: MIT */
/* The hold and the arithmetic of its level: random schedules of puts, takes and releases against a model. */
#include "buffer/hold.h"
#include "buffer/pool.h"
#include "unit/unit.h"

#define ROUNDS    (getenv("LEAT_TEST_QUICK") ? 50u : 1000u)
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
    struct hold_plan plan; /* its file and memory are set before open_trial */
    struct hold hold;
    struct port putter, taker;
    uint64_t put, taken, size, start, stop;
    bool takes, gives, ended, over; /* as the model has it */
    struct chunk *view[VIEWS_MAX];
    size_t views;
};

static void open_trial(struct trial *t, uint64_t size, unsigned start, unsigned stop, leat_pool *store)
{
    const struct hold_plan plan = t->plan;
    const char *call;
    *t = (struct trial){.plan = plan,
                        .size = size,
                        .start = water_percent(size, start),
                        .stop = water_percent(size, stop),
                        .takes = true,
                        .gives = start == 0};
    t->plan.water = water_of(size, start, stop);
    t->plan.store = store;
    port_init(&t->putter, -1, 0);
    port_init(&t->taker, -1, 0);
    hold_init(&t->hold);
    assert_int_equal(hold_open(&t->hold, &t->plan, &t->putter, &t->taker, &call), 0);
}

static void close_trial(struct trial *t)
{
    while (t->views)
        chunk_unref(t->view[--t->views]);
    hold_destroy(&t->hold);
    assert_true(t->hold.budget.used == 0);
}

/* ---- a file in memory, which may be full ---- */

struct disk {
    uint8_t bytes[4 << 20];
    uint64_t most; /* it takes no byte from here on: ENOSPC */
    unsigned writes, reads, discards;
    int read_result;
};

static int disk_write(void *user, const void *bytes, size_t n, uint64_t at)
{
    struct disk *disk = user;
    assert_true(at + n <= sizeof(disk->bytes) && n % PAGE == 0 && at % PAGE == 0 && (uintptr_t)bytes % PAGE == 0);
    if (at + n > disk->most)
        return -ENOSPC;
    memcpy(disk->bytes + at, bytes, n);
    disk->writes++;
    return 0;
}

static int disk_read(void *user, void *bytes, size_t n, uint64_t at)
{
    struct disk *disk = user;
    memcpy(bytes, disk->bytes + at, n);
    disk->reads++;
    return disk->read_result;
}

static void disk_discard(void *user, size_t n, uint64_t at)
{
    struct disk *disk = user;
    assert_true(n % PAGE == 0 && at % PAGE == 0);
    memset(disk->bytes + at, 0, n);
    disk->discards++;
}

static const struct hold_file disk_calls = {.write = disk_write, .read = disk_read, .discard = disk_discard};
static struct disk disk;

static struct hold_plan on_disk(uint64_t memory, uint64_t most)
{
    disk.most = most;
    disk.writes = disk.reads = disk.discards = 0;
    disk.read_result = 0;
    return (struct hold_plan){.memory = memory, .file = &disk_calls, .user = &disk};
}

/* ---- the two sides ---- */

static void write_letters(uint8_t *bytes, size_t n, uint64_t at)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = letter(at + i);
}

static void put_from(struct trial *t, const uint8_t *bytes, size_t n)
{
    uint64_t level = t->put - t->taken, room = t->takes ? t->size - level : 0;
    ssize_t r = hold_put(&t->hold, bytes, n);
    if (t->hold.slots.failed) { /* it is as large as it can get: it may take less */
        assert_true(r == -EAGAIN || (r > 0 && (uint64_t)r <= MIN(n, room ? room : n)));
        assert_true(r > 0 || level || t->views);
        t->takes = hold_look(&t->hold).takes;
        t->gives |= !t->takes;
    } else
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

static void put(struct trial *t, size_t n)
{
    static uint8_t bytes[100000];
    write_letters(bytes, n, t->put);
    put_from(t, bytes, n);
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

/* Puts bytes that are written where they belong: fewer than there is room for, in two calls, and the other side goes on
 * meanwhile. What is lent is there until it is put. */
static void put_in_place(struct trial *t, size_t n)
{
    struct chunk *chunk;
    ssize_t r = hold_lend(&t->hold, n, &chunk);
    if (r < 0) {
        put(t, n);
        return;
    }
    assert_true(r > 0 && (size_t)r <= n && !chunk->hole);
    uint8_t *place = chunk->data;
    uint64_t end = t->put + 1 + roll((unsigned)r);
    write_letters(place, (size_t)(end - t->put), t->put);
    take(t, n);
    release(t);
    size_t first = roll((unsigned)(end - t->put));
    if (first)
        put_from(t, place, first);
    chunk_unref(chunk);
    assert_true(hold_lend(&t->hold, 1, &chunk) == 1 && chunk->data == place + first);
    put_from(t, chunk->data, (size_t)(end - t->put));
    chunk_unref(chunk);
    assert_true(t->put == end);
}

static void step(struct trial *t, uint64_t bytes)
{
    size_t n = 1 + (roll(2) ? roll(20) : roll(100000 - 1));
    switch (roll(3)) {
    case 0:
        if (t->put < bytes)
            (roll(2) ? put : put_in_place)(t, (size_t)MIN(n, bytes - t->put));
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
    assert_true(t->hold.budget.used <= hold_memory(&t->hold.plan));
}

/* Some schedules are left in the middle, as by a cancel. */
static void schedules(bool files)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct trial t = {.views = 0};
        dice = round;
        if (files)
            t.plan = on_disk(1 + roll(100000), roll(3) ? UINT64_MAX : roll(300000));
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

static void random_schedules(void **state UNUSED)
{
    schedules(false);
}

static void random_schedules_with_a_file(void **state UNUSED)
{
    schedules(true);
}

static void what_memory_has_no_room_for_is_in_the_file(void **state UNUSED)
{
    struct trial t = {.plan = on_disk(64 << 10, UINT64_MAX)};
    int failed;
    open_trial(&t, 1 << 20, 0, 100, NULL);
    while (t.put < t.size)
        put(&t, 10000);
    assert_true(disk.writes > 0 && t.hold.budget.used <= 64 << 10 << 1);
    assert_true(hold_file_top(&t.hold, &failed) >= (1 << 20) - (64 << 10) - (8 << 10) && failed == 0);
    while (t.taken < t.put) {
        take(&t, SIZE_MAX);
        release(&t);
    }
    assert_int_equal(disk.reads, disk.writes);
    assert_true(disk.discards < disk.reads && disk.discards + 16 >= disk.reads); /* a few slots keep their blocks */
    unsigned before = disk.writes;
    for (uint64_t end = t.put + 50000; t.put < end;) /* what memory has room for stays there */
        put(&t, 10000);
    assert_int_equal(disk.writes, before);
    close_trial(&t);
}

/* A full disk loses nothing: the buffer is as large as it has got, and neither side waits for the other. */
static void a_full_disk(void **state UNUSED)
{
    struct trial t = {.plan = on_disk(64 << 10, 100 << 10)};
    int failed;
    open_trial(&t, 1 << 20, 100, 100, NULL);
    for (uint64_t before = UINT64_MAX; before != t.put;) {
        before = t.put;
        put(&t, 10000);
    }
    assert_true(t.put >= 150 << 10 && t.put < 200 << 10);
    assert_true(hold_file_top(&t.hold, &failed) > 0 && failed == -ENOSPC);
    while (t.taken < 500000) {
        take(&t, SIZE_MAX);
        release(&t);
        put(&t, 10000);
    }
    close_trial(&t);
}

static void a_file_that_can_t_be_read(void **state UNUSED)
{
    struct trial t = {.plan = on_disk(64 << 10, UINT64_MAX)};
    struct chunk *chunk;
    ssize_t r;
    open_trial(&t, 1 << 20, 0, 100, NULL);
    while (t.put < t.size)
        put(&t, 10000);
    disk.read_result = -EIO;
    while ((r = hold_take(&t.hold, SIZE_MAX, &chunk)) > 0)
        chunk_unref(chunk);
    assert_int_equal(r, -EIO);
    close_trial(&t);
}

static void memory_is_locked(void **state UNUSED)
{
    struct trial t = {.plan = {.locks = true}};
    const char *call;
    t.plan.water = water_of(100000, 0, 100);
    port_init(&t.putter, -1, 0);
    port_init(&t.taker, -1, 0);
    hold_init(&t.hold);
    int r = hold_open(&t.hold, &t.plan, &t.putter, &t.taker, &call);
    bool there = r == 0;
    if (there) {
        assert_true(t.hold.budget.used == t.hold.budget.limit); /* all of it is there before the first byte */
        t.size = t.stop = 100000;
        t.takes = t.gives = true;
        while (t.put < t.size)
            put(&t, 10000);
        while (t.taken < t.put) {
            take(&t, SIZE_MAX);
            release(&t);
        }
    } else
        assert_string_equal(call, "mlock");
    close_trial(&t);
    unit_needs(there, "memory that may be locked");
}

/* Each side that got -EAGAIN is told as soon as it may go on, and not before. */
static void sides_are_told(void **state UNUSED)
{
    struct trial t = {.views = 0};
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
    struct trial t = {.views = 0};
    uint8_t bytes[4 * PAGE] = {0};
    struct chunk *chunk;
    options.memory_limit = 2 * PAGE;
    assert_int_equal(leat_pool_new(&pool, &options, NULL), 0);
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

/* The reader gets the bytes from the place where they were written. */
static void what_is_lent_is_not_copied(void **state UNUSED)
{
    struct trial t = {.views = 0};
    struct chunk *chunk;
    open_trial(&t, 16 * PAGE, 0, 100, NULL);
    put(&t, 100);
    assert_int_equal(hold_lend(&t.hold, SIZE_MAX, &chunk), PAGE - 100);
    uint8_t *place = chunk->data;
    write_letters(place, 50, t.put);
    put_from(&t, place, 50);
    chunk_unref(chunk);
    take(&t, 100);
    take(&t, SIZE_MAX);
    assert_int_equal(t.view[1]->length, 50);
    assert_ptr_equal(t.view[1]->data, place);
    while (t.put < t.size)
        put(&t, 1000);
    assert_int_equal(hold_lend(&t.hold, 1, &chunk), -EAGAIN);
    release(&t);
    release(&t);
    take(&t, PAGE);
    assert_true(port_take_notice(&t.putter));
    close_trial(&t);
}

static void memory_comes_and_goes(void **state UNUSED)
{
    struct trial t = {.views = 0};
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
    struct hold_plan plan = {.water = water_of(INT64_MAX, 0, 100)};
    assert_true(hold_memory(&plan) >= INT64_MAX);
}

/* A buffer that starts at once at any level, even where the level rounds to no byte. */
static void an_empty_start(void **state UNUSED)
{
    struct trial t = {.views = 0};
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
        cmocka_unit_test(random_schedules_with_a_file),
        cmocka_unit_test(what_memory_has_no_room_for_is_in_the_file),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(a_file_that_can_t_be_read),
        cmocka_unit_test(memory_is_locked),
        cmocka_unit_test(random_schedules),
        cmocka_unit_test(sides_are_told),
        cmocka_unit_test(a_pool_without_memory),
        cmocka_unit_test(what_is_lent_is_not_copied),
        cmocka_unit_test(memory_comes_and_goes),
        cmocka_unit_test(percentages_of_any_size),
        cmocka_unit_test(an_empty_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
