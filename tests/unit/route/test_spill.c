/* SPDX-License-Identifier: MIT */
/* Sinks that spill: the queue in the file, and pipelines in which such a sink lags. */
#include "base/platform.h"
#include "route/spill.h"
#include "unit/flow/scene.h"

#include "unit/flow/pipelines.h"

/* ---- the queue ---- */

/* The queue has the same bytes in the same order as a string; a hole is the letter 0. */
struct model {
    struct spill spill;
    char file[300], expected[100000];
    size_t put, taken;
};

static size_t below(uint64_t *state, size_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*state >> 33) % n;
}

static void put_piece(struct model *m, size_t n, bool hole)
{
    uint64_t at;
    if (!spill_has_room(&m->spill, n, hole))
        return;
    for (size_t i = 0; i < n; i++)
        m->expected[m->put + i] = hole ? 0 : (char)('a' + (m->put + i) % 23);
    for (size_t done = 0, k; done < n && !hole; done += k) {
        k = spill_place(&m->spill, done, n - done, &at);
        assert_in_range(k, 1, n - done);
        assert_true(at + k <= m->spill.size);
        memcpy(m->file + at, m->expected + m->put + done, k);
    }
    assert_true(spill_put(&m->spill, n, hole));
    m->put += n;
}

static void take_piece(struct model *m, size_t most)
{
    uint64_t at;
    bool hole;
    if (!m->spill.held)
        return;
    size_t n = (size_t)MIN(spill_next(&m->spill, &at, &hole), most);
    assert_true(n > 0 && n <= m->put - m->taken);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(hole ? 0 : m->file[at + i], m->expected[m->taken + i]);
    spill_take(&m->spill, n);
    m->taken += n;
}

static void the_queue_keeps_the_order(void **state UNUSED)
{
    for (unsigned seed = 0; seed < 50; seed++) {
        static struct model m;
        uint64_t random = seed;
        m = (struct model){.put = 0};
        assert_int_equal(spill_open(&m.spill, ".", 1 + below(&random, sizeof(m.file))), 0);
        for (int i = 0; i < 1000; i++) {
            put_piece(&m, 1 + below(&random, 60), below(&random, 4) == 0);
            take_piece(&m, 1 + below(&random, 60));
            if (below(&random, 100) == 0)
                spill_fail(&m.spill, -ENOSPC);
            assert_int_equal(m.spill.held, m.put - m.taken);
        }
        while (m.spill.held)
            take_piece(&m, 7);
        assert_int_equal(m.taken, m.put);
        spill_close(&m.spill);
    }
}

static void after_a_failure_the_file_does_not_grow(void **state UNUSED)
{
    struct model m = {.put = 0};
    assert_int_equal(spill_open(&m.spill, ".", 200), 0);
    put_piece(&m, 50, false);
    spill_fail(&m.spill, -ENOSPC);
    assert_false(spill_has_room(&m.spill, 1, false));
    take_piece(&m, 49);
    assert_false(spill_has_room(&m.spill, 1, false));
    take_piece(&m, 1);
    assert_true(spill_has_room(&m.spill, 50, false));
    assert_false(spill_has_room(&m.spill, 51, false));
    spill_close(&m.spill);
    assert_int_equal(m.spill.failed, -ENOSPC);
    assert_int_equal(m.spill.top, 50);

    m = (struct model){.put = 0};
    assert_int_equal(spill_open(&m.spill, ".", 200), 0);
    spill_fail(&m.spill, -EIO); /* before the first byte: it is never used */
    put_piece(&m, 1, true);
    assert_int_equal(m.put, 0);
    spill_close(&m.spill);
}

/* ---- pipelines ---- */

#define BYTES (64 * (size_t)PAGE)

static char letters[BYTES];

/* A sink that stops at a byte until it may go on. It lets others go when it has so many bytes. If they have a step,
 * they go on by such steps, so they lag by the same number of bytes all the time. */
struct sink {
    leat_endpoint *endpoint;
    size_t stops_at, sips, n, step, frees_at;
    struct sink *frees[4];
    int fails; /* once it may go on, it fails with this code */
    bool go, wrong;
    atomic_bool is_through; /* it has all bytes */
};

static void let_sink_go(struct sink *s)
{
    s->go = true;
    leat_endpoint_notify(s->endpoint);
}

static void free_others(struct sink *s)
{
    for (size_t i = 0; i < COUNT(s->frees) && s->frees[i]; i++) {
        struct sink *other = s->frees[i];
        while (other->step && s->n < BYTES && s->n >= s->frees_at) {
            other->stops_at += other->step;
            s->frees_at += other->step;
            leat_endpoint_notify(other->endpoint);
        }
        if (!other->step || s->n == BYTES)
            let_sink_go(other);
    }
}

static int sink_write(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    struct sink *s = user;
    if (!s->go && s->n >= s->stops_at)
        return -EAGAIN;
    if (s->go && s->fails)
        return s->fails;
    n = MIN(n, s->go ? n : s->stops_at - s->n);
    n = s->sips ? MIN(n, s->sips) : n;
    s->wrong |= n > BYTES - s->n || memcmp(bytes, letters + s->n, n) != 0;
    s->n += n;
    if (s->n >= s->frees_at)
        free_others(s);
    if (s->n == BYTES)
        atomic_store(&s->is_through, true);
    *ret_n = n;
    return 0;
}

static leat_endpoint *sink(struct sink *s)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .write = sink_write};
    assert_int_equal(leat_endpoint_from_callbacks(&s->endpoint, &callbacks, s, NULL), 0);
    return s->endpoint;
}

static struct sink ahead_of(struct sink *lags, size_t n)
{
    return (struct sink){.go = true, .frees = {lags}, .frees_at = n};
}

static void add_laggard(leat_pipeline *p, struct sink *lags, uint64_t file)
{
    struct leat_sink_options spills = {
        .size = sizeof(spills), .slow = LEAT_SLOW_SPILL, .spill = file, .spill_folder = "."};
    assert_int_equal(leat_pipeline_sink(p, sink(lags), &spills, NULL), 0);
}

static leat_pipeline *with_laggard(struct sink *ahead, struct sink *lags, uint64_t memory, uint64_t file)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = memory};
    for (size_t i = 0; i < BYTES; i++)
        letters[i] = (char)('a' + i % 23);
    leat_pipeline *p = pipeline_of(&options, from_bytes(letters, BYTES), sink(ahead));
    add_laggard(p, lags, file);
    return p;
}

/* Runs it, checks the sums, and gives the report's hops. */
/* The struct of each sink says what the JSON says. */
static void check_outcomes(const leat_report *report, json_t *told)
{
    json_t *hops = json_object_get(told, "hops");
    for (size_t i = 0; i < json_array_size(hops); i++) {
        struct leat_sink_outcome outcome = LEAT_INIT(struct leat_sink_outcome);
        json_t *why = json_object_get(json_array_get(hops, i), "spill_why");
        assert_int_equal(leat_report_sink_at(report, i, &outcome), 0);
        assert_int_equal(outcome.spilled, json_integer_value(json_object_get(json_array_get(hops, i), "spilled")));
        assert_true(outcome.spill_code <= 0 && !outcome.spill_code == !why);
        if (why)
            assert_string_equal(leat_errno_name(outcome.spill_code), json_string_value(why));
    }
}

static int run(leat_pipeline *p, json_t **ret_report)
{
    struct stage s = {0};
    assert_int_equal(leat_pipeline_start(p), 0);
    int r = leat_pipeline_wait(p, 60000, &s.report);
    assert_int_not_equal(r, -ETIMEDOUT);
    check_balance(&s);
    *ret_report = report_json(s.report);
    check_outcomes(s.report, *ret_report);
    leat_report_free(s.report);
    leat_pipeline_free(p);
    return r;
}

static json_t *hop_of(json_t *report, size_t i)
{
    return json_array_get(json_object_get(report, "hops"), i);
}

static void who_may_spill_holds_up_nobody_and_gets_all(void **state UNUSED)
{
    static const size_t stops[] = {0, 1, PAGE, 3 * PAGE + 7}, sips[] = {0, 1000};
    for (size_t i = 0; i < COUNT(stops) * COUNT(sips); i++) {
        struct sink lags = {.stops_at = stops[i / 2], .sips = sips[i % 2]}, ahead = ahead_of(&lags, BYTES);
        json_t *report;
        assert_int_equal(run(with_laggard(&ahead, &lags, 8 * PAGE, 0), &report), 0);
        assert_int_equal(ahead.n, BYTES);
        assert_int_equal(lags.n, BYTES);
        assert_false(ahead.wrong || lags.wrong);
        assert_true(number(hop_of(report, 1), "spilled") > BYTES / 2);
        assert_null(json_object_get(hop_of(report, 0), "spilled"));
        assert_null(json_object_get(hop_of(report, 1), "spill_why"));
        json_decref(report);
    }
}

static void several_spill(void **state UNUSED)
{
    struct sink ahead = {.go = true, .frees_at = BYTES}, lags[4];
    json_t *report;
    for (size_t i = 0; i < COUNT(lags); i++)
        lags[i] = (struct sink){.stops_at = i * 1000, .sips = 300 * i};
    leat_pipeline *p = with_laggard(&ahead, &lags[0], 16 * PAGE, 0);
    ahead.frees[0] = &lags[0];
    for (size_t i = 1; i < COUNT(lags); i++) {
        ahead.frees[i] = &lags[i];
        add_laggard(p, &lags[i], 0);
    }
    assert_int_equal(run(p, &report), 0);
    json_decref(report);
    assert_false(ahead.wrong);
    for (size_t i = 0; i < COUNT(lags); i++) {
        assert_int_equal(lags[i].n, BYTES);
        assert_false(lags[i].wrong);
    }
}

/* Holes of the source take no room in the file. */
static void holes_come_back_as_zeros(void **state UNUSED)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .memory_limit = 8 * PAGE};
    struct sink lags = {.stops_at = 1, .sips = 5000}, ahead = ahead_of(&lags, BYTES);
    json_t *report;
    memset(letters, 'x', BYTES);
    memset(letters + BYTES / 4, 0, BYTES / 2);
    int fd = open("sparse", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, letters, BYTES / 4, 0), BYTES / 4);
    assert_int_equal(pwrite(fd, letters, BYTES / 4, BYTES / 4 * 3), BYTES / 4);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    leat_pipeline *p = pipeline_of(&options, spec("sparse", LEAT_READ), sink(&ahead));
    add_laggard(p, &lags, 0);
    assert_int_equal(run(p, &report), 0);
    assert_int_equal(lags.n, BYTES);
    assert_false(ahead.wrong || lags.wrong);
    bool are_there = (uint64_t)st.st_blocks * 512 < BYTES && strcmp(platform.name, "posix") != 0;
    assert_true(!are_there || number(hop_of(report, 1), "spilled") <= BYTES / 2);
    json_decref(report);
}

/* It lags by more than the file holds. */
static void a_full_file_is_waited_for(void **state UNUSED)
{
    static const size_t files[] = {1, PAGE, 4 * PAGE + 1, 9 * PAGE};
    for (size_t i = 0; i < COUNT(files); i++) {
        struct sink lags = {.step = 3000, .sips = 700}, ahead = ahead_of(&lags, files[i] + PAGE);
        json_t *report;
        assert_int_equal(run(with_laggard(&ahead, &lags, 8 * PAGE, files[i]), &report), 0);
        assert_int_equal(lags.n, BYTES);
        assert_false(ahead.wrong || lags.wrong);
        assert_true(number(hop_of(report, 1), "spilled") <= files[i]);
        assert_true(files[i] <= PAGE || number(hop_of(report, 1), "spilled") > 0);
        json_decref(report);
    }
}

struct disk {
    unsigned writes, room; /* so many writes work */
    size_t most;           /* bytes of one call; 0: all */
    int code;
    struct sink *lags; /* it may go on once the disk is full */
};

static bool on_disk(void *user, struct op *op, ssize_t *ret_result)
{
    struct disk *disk = user;
    bool writes = op->kind == OP_WRITE && op->fd[1] >= 0, reads = op->kind == OP_READ && op->fd[0] >= 0;
    if ((writes || reads) && disk->most)
        op->length = MIN(op->length, disk->most);
    if (!writes || disk->writes++ < disk->room)
        return true;
    *ret_result = disk->code;
    let_sink_go(disk->lags);
    return false;
}

static void a_disk_that_is_full_loses_nothing(void **state UNUSED)
{
    for (unsigned room = 0; room < 6; room++) {
        struct sink lags = {.sips = 700}, ahead = ahead_of(&lags, BYTES);
        struct disk disk = {
            .room = room, .code = room % 2 ? -EIO : -ENOSPC, .most = room > 3 ? 1000 : 0, .lags = &lags};
        json_t *report;
        leat_pipeline *p = with_laggard(&ahead, &lags, 8 * PAGE, 0);
        op_interpose(on_disk, &disk);
        int r = run(p, &report);
        op_interpose(NULL, NULL);
        assert_int_equal(r, 0);
        assert_int_equal(lags.n, BYTES);
        assert_false(ahead.wrong || lags.wrong);
        assert_string_equal(json_string_value(json_object_get(hop_of(report, 1), "spill_why")),
                            room % 2 ? "EIO" : "ENOSPC");
        json_decref(report);
    }
}

static void calls_on_the_file_may_come_short(void **state UNUSED)
{
    struct disk disk = {.room = UINT32_MAX, .most = 999};
    struct sink lags = {.stops_at = 1}, ahead = ahead_of(&lags, BYTES);
    json_t *report;
    leat_pipeline *p = with_laggard(&ahead, &lags, 8 * PAGE, 0);
    op_interpose(on_disk, &disk);
    int r = run(p, &report);
    op_interpose(NULL, NULL);
    assert_int_equal(r, 0);
    assert_int_equal(lags.n, BYTES);
    assert_false(lags.wrong);
    json_decref(report);
}

static bool reads_fail(void *user UNUSED, struct op *op, ssize_t *ret_result)
{
    *ret_result = -EIO;
    return op->kind != OP_READ || op->fd[0] < 0;
}

/* Such a sink has failed, and the others have not. */
static void a_file_that_can_not_be_read(void **state UNUSED)
{
    struct sink lags = {.stops_at = 1}, ahead = ahead_of(&lags, BYTES);
    json_t *report;
    leat_pipeline *p = with_laggard(&ahead, &lags, 8 * PAGE, 0);
    op_interpose(reads_fail, NULL);
    int r = run(p, &report);
    op_interpose(NULL, NULL);
    assert_int_equal(r, -EIO);
    assert_int_equal(ahead.n, BYTES);
    assert_int_equal(number(hop_of(report, 1), "discarded"), BYTES - lags.n);
    json_decref(report);
}

static void what_a_failed_sink_has_spilled_is_discarded(void **state UNUSED)
{
    struct sink lags = {.stops_at = PAGE, .fails = -EPIPE}, ahead = ahead_of(&lags, BYTES / 2);
    json_t *report;
    assert_int_equal(run(with_laggard(&ahead, &lags, 8 * PAGE, 0), &report), -EPIPE);
    assert_int_equal(ahead.n, BYTES);
    assert_false(ahead.wrong);
    assert_int_equal(lags.n, PAGE);
    assert_int_equal(number(hop_of(report, 1), "discarded"), BYTES - PAGE);
    assert_int_equal(number(hop_of(report, 1), "held"), 0);
    assert_true(number(hop_of(report, 1), "spilled") > 0);
    json_decref(report);
}

static void a_cancel_ends_the_wait_for_it(void **state UNUSED)
{
    struct sink lags = {.stops_at = PAGE}, ahead = {.go = true, .frees_at = SIZE_MAX};
    struct stage s = {0};
    leat_pipeline *p = with_laggard(&ahead, &lags, 8 * PAGE, 0);
    assert_int_equal(leat_pipeline_start(p), 0);
    for (int i = 0; i < 60000 && !atomic_load(&ahead.is_through); i++)
        usleep(1000);
    assert_true(atomic_load(&ahead.is_through));
    assert_int_equal(leat_pipeline_wait(p, 0, NULL), -EAGAIN);
    leat_pipeline_cancel(p);
    assert_int_equal(leat_pipeline_wait(p, 60000, &s.report), -ECANCELED);
    check_balance(&s);
    json_t *report = report_json(s.report);
    assert_int_equal(number(hop_of(report, 1), "held"), BYTES - PAGE);
    json_decref(report);
    leat_report_free(s.report);
    leat_pipeline_free(p);
}

static void a_folder_that_is_none(void **state UNUSED)
{
    struct leat_sink_options spills = {.size = sizeof(spills), .slow = LEAT_SLOW_SPILL, .spill_folder = "missing"};
    struct sink ahead = {.go = true}, lags = {.go = true};
    json_t *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, BYTES), sink(&ahead));
    assert_int_equal(leat_pipeline_sink(p, sink(&lags), &spills, NULL), 0);
    assert_int_equal(run(p, &report), -ENOENT);
    assert_non_null(strstr(json_string_value(json_object_get(json_object_get(report, "error"), "text")), "'missing'"));
    assert_int_equal(ahead.n + lags.n, 0);
    json_decref(report);
}

/* With one sink there is nobody to go on. */
static void a_single_sink_needs_no_file(void **state UNUSED)
{
    struct leat_sink_options spills = {.size = sizeof(spills), .slow = LEAT_SLOW_SPILL, .spill_folder = "missing"};
    struct sink alone = {.go = true};
    json_t *report;
    leat_pipeline *p = pipeline_of(NULL, from_bytes(letters, BYTES), NULL);
    assert_int_equal(leat_pipeline_sink(p, sink(&alone), &spills, NULL), 0);
    assert_int_equal(run(p, &report), 0);
    assert_int_equal(alone.n, BYTES);
    json_decref(report);
}

static void options_that_make_no_sense(void **state UNUSED)
{
    const struct leat_sink_options wrong[] = {
        {.size = sizeof(wrong[0]), .slow = LEAT_SLOW_WAIT, .spill = 1},
        {.size = sizeof(wrong[0]), .slow = LEAT_SLOW_DROP, .spill_folder = "."},
        {.size = sizeof(wrong[0]), .slow = LEAT_SLOW_SPILL, .spill_folder = ""},
        {.size = sizeof(wrong[0]), .slow = LEAT_SLOW_SPILL, .spill = UINT64_C(1) << 63},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct sink s = {.go = true};
        leat_pipeline *p = pipeline_of(NULL, NULL, NULL);
        assert_int_equal(leat_pipeline_sink(p, sink(&s), &wrong[i], NULL), -EINVAL);
        leat_pipeline_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_keeps_the_order),
        cmocka_unit_test(after_a_failure_the_file_does_not_grow),
        cmocka_unit_test(who_may_spill_holds_up_nobody_and_gets_all),
        cmocka_unit_test(several_spill),
        cmocka_unit_test(holes_come_back_as_zeros),
        cmocka_unit_test(a_full_file_is_waited_for),
        cmocka_unit_test(a_disk_that_is_full_loses_nothing),
        cmocka_unit_test(calls_on_the_file_may_come_short),
        cmocka_unit_test(a_file_that_can_not_be_read),
        cmocka_unit_test(what_a_failed_sink_has_spilled_is_discarded),
        cmocka_unit_test(a_cancel_ends_the_wait_for_it),
        cmocka_unit_test(a_folder_that_is_none),
        cmocka_unit_test(a_single_sink_needs_no_file),
        cmocka_unit_test(options_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
