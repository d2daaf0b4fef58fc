/* SPDX-License-Identifier: MIT */
/* timeout: 600
 * engines: uring, uring:all
 * The Nth-call sweep: over whole copies each operation fails once with each plausible errno, comes back short once, is
 * cancelled once, and comes back short and fails from then on. Afterwards taken = delivered + held + discarded, and
 * either the result is right or the error names side, call and offset, and nothing was published. */
#include "learning.h"
#include "machine.h"
#include "scene.h"

#define BYTES  ((size_t)(200 << 10) + 7)
#define MEMORY (64 << 10) /* so that there are many operations */

static const struct scene scenes[] = {
    {"file to file", KIND_FILE, {KIND_OLD_FILE}, NULL},
    {"file to file, digest", KIND_FILE, {KIND_FILE}, "sha256"},
    {"file to pipe", KIND_FILE, {KIND_PIPE}, NULL},
    {"pipe to file", KIND_PIPE, {KIND_OLD_FILE}, NULL},
    {"pipe to pipe", KIND_PIPE, {KIND_PIPE}, NULL},
    {"file to null", KIND_FILE, {KIND_NULL}, NULL},
    {"file to three", KIND_FILE, {KIND_OLD_FILE, KIND_PIPE, KIND_FILE}, NULL},
    {"file to tcp", KIND_FILE, {KIND_TCP}, NULL},
    {"tcp to file", KIND_TCP, {KIND_OLD_FILE}, NULL},
    {"tcp to pipe", KIND_TCP, {KIND_PIPE}, NULL},
    {"pipe to unix socket", KIND_PIPE, {KIND_UNIX}, NULL},
    {"unix socket to tcp", KIND_UNIX, {KIND_TCP}, NULL},
    {"unix socket to three", KIND_UNIX, {KIND_TCP, KIND_OLD_FILE, KIND_SOCKET}, NULL},
    {"pipe to three, digest", KIND_PIPE, {KIND_PIPE, KIND_OLD_FILE, KIND_MEMORY}, "crc32c"},
    {"file to file, two legs", KIND_FILE, {KIND_OLD_FILE}, "crc32c"},
    {"pipe to file, buffer", KIND_PIPE, {KIND_OLD_FILE}, "crc32c"},
    {"file to pipe and memory, buffer", KIND_FILE, {KIND_PIPE, KIND_MEMORY}, NULL},
    {"pipe to pipe, file buffer", KIND_PIPE, {KIND_PIPE}, NULL},
    {"tcp to three, two legs", KIND_TCP, {KIND_PIPE, KIND_OLD_FILE, KIND_MEMORY}, NULL},
};

enum {
    INJECT_NOTHING,
    INJECT_ERROR,
    INJECT_SHORT,
    INJECT_CANCEL,
    INJECT_SHORT_ERROR, /* it comes back short, and the next one fails */
    INJECT_SHORT_FULL,  /* it comes back short, and all behind it fail, as on a full disk */
};

static const struct fault {
    enum op_kind kind;
    int how;
    int code;
} faults[] = {
    {OP_READ, INJECT_ERROR, EIO},
    {OP_READ, INJECT_ERROR, EAGAIN},
    {OP_READ, INJECT_SHORT, 0},
    {OP_WRITE, INJECT_ERROR, EIO},
    {OP_WRITE, INJECT_ERROR, ENOSPC},
    {OP_WRITE, INJECT_ERROR, EPIPE},
    {OP_WRITE, INJECT_ERROR, EAGAIN},
    {OP_WRITE, INJECT_SHORT, 0},
    {OP_SPLICE, INJECT_ERROR, EINVAL},
    {OP_SPLICE, INJECT_ERROR, EIO},
    {OP_SPLICE, INJECT_ERROR, ENOSPC},
    {OP_SPLICE, INJECT_ERROR, EPIPE},
    {OP_SPLICE, INJECT_ERROR, ECONNRESET},
    {OP_READ, INJECT_ERROR, ECONNRESET},
    {OP_WRITE, INJECT_ERROR, ECONNRESET},
    {OP_SENDFILE, INJECT_ERROR, EAGAIN},
    {OP_SENDFILE, INJECT_ERROR, ECONNRESET},
    {OP_SPLICE, INJECT_ERROR, EAGAIN},
    {OP_SPLICE, INJECT_ERROR, ENOMEM},
    {OP_SPLICE, INJECT_SHORT, 0},
    {OP_TEE, INJECT_ERROR, EINVAL},
    {OP_TEE, INJECT_ERROR, EAGAIN},
    {OP_TEE, INJECT_ERROR, ENOMEM},
    {OP_TEE, INJECT_SHORT, 0},
    {OP_COPY_RANGE, INJECT_ERROR, EXDEV},
    {OP_COPY_RANGE, INJECT_ERROR, EIO},
    {OP_COPY_RANGE, INJECT_ERROR, ENOSPC},
    {OP_COPY_RANGE, INJECT_SHORT, 0},
    {OP_SENDFILE, INJECT_ERROR, EINVAL},
    {OP_SENDFILE, INJECT_ERROR, EIO},
    {OP_SENDFILE, INJECT_SHORT, 0},
    {OP_CLONE, INJECT_ERROR, EXDEV},
    {OP_CLONE, INJECT_ERROR, ENOSPC},
    {OP_FSYNC, INJECT_ERROR, EIO},
    {OP_TRUNCATE, INJECT_ERROR, EIO},
    {OP_LINK, INJECT_ERROR, EEXIST},
    {OP_LINK, INJECT_ERROR, ENOSPC},
    {OP_RENAME, INJECT_ERROR, EBUSY},
    {OP_RENAME, INJECT_ERROR, EIO},
    {OP_CLOSE, INJECT_ERROR, ENOSPC},
    {OP_READ, INJECT_CANCEL, ECANCELED},
    {OP_WRITE, INJECT_CANCEL, ECANCELED},
    {OP_SPLICE, INJECT_CANCEL, ECANCELED},
    {OP_TEE, INJECT_CANCEL, ECANCELED},
    {OP_COPY_RANGE, INJECT_CANCEL, ECANCELED},
    {OP_READ, INJECT_SHORT_ERROR, EIO},
    {OP_READ, INJECT_SHORT_FULL, EIO},
    {OP_READ, INJECT_SHORT_ERROR, EAGAIN},
    {OP_WRITE, INJECT_SHORT_ERROR, EIO},
    {OP_WRITE, INJECT_SHORT_ERROR, EAGAIN},
    {OP_WRITE, INJECT_SHORT_FULL, ENOSPC},
    {OP_SPLICE, INJECT_SHORT_ERROR, EIO},
    {OP_SPLICE, INJECT_SHORT_ERROR, ENOSPC},
    {OP_SPLICE, INJECT_SHORT_FULL, ENOSPC},
    {OP_SPLICE, INJECT_SHORT_FULL, ENOMEM},
    {OP_TEE, INJECT_SHORT_ERROR, ENOMEM},
    {OP_TEE, INJECT_SHORT_FULL, EINVAL},
    {OP_COPY_RANGE, INJECT_SHORT_ERROR, EIO},
    {OP_COPY_RANGE, INJECT_SHORT_FULL, ENOSPC},
    {OP_SENDFILE, INJECT_SHORT_ERROR, EIO},
    {OP_SENDFILE, INJECT_SHORT_FULL, EPIPE},
};

struct injection {
    struct fault fault;
    unsigned at;
    atomic_uint seen; /* the at-th operation of that kind, counted from 1; a buffer makes two threads of them */
    leat_pipeline *pipeline;
};

/* Past the page cache only whole blocks are taken; there a third is rounded down to them. */
static void shorten(struct op *op)
{
    size_t third = op->length / 3;
    if ((op->flags & OP_ASYNC) && third >= PAGE)
        third = third / PAGE * PAGE;
    op->length = third ? third : op->length;
}

/* What the fault does to the `n`-th operation of its kind, counted from the one that it is for. */
static int how_now(const struct fault *fault, unsigned n)
{
    if (fault->how != INJECT_SHORT_ERROR && fault->how != INJECT_SHORT_FULL)
        return n == 0 ? fault->how : INJECT_NOTHING;
    if (n == 0)
        return INJECT_SHORT;
    return n == 1 || fault->how == INJECT_SHORT_FULL ? INJECT_ERROR : INJECT_NOTHING;
}

static bool inject(void *user, struct op *op, ssize_t *ret_result)
{
    struct injection *injection = user;
    if (op->kind != injection->fault.kind)
        return true;
    unsigned seen = atomic_fetch_add(&injection->seen, 1) + 1;
    if (seen < injection->at)
        return true;
    switch (how_now(&injection->fault, seen - injection->at)) {
    case INJECT_NOTHING:
        return true;
    case INJECT_ERROR:
        *ret_result = -injection->fault.code;
        return false;
    case INJECT_SHORT:
        shorten(op);
        return true;
    default:
        leat_pipeline_cancel(injection->pipeline);
        return true;
    }
}

/* A failure has to tell where it was. */
static void check_error(const struct stage *s)
{
    const struct leat_error *error = leat_report_error(s->report);
    assert_non_null(error);
    assert_int_equal(error->code, s->result);
    assert_true(error->text[0] != '\0');
    if (error->code != -ECANCELED) {
        assert_true(error->side != LEAT_SIDE_NONE);
        assert_true(error->operation[0] != '\0');
        assert_true(error->node[0] != '\0');
    }
    assert_true(error->offset <= s->n);
}

/* False: there is no such operation. */
static bool run_with(const struct scene *scene, const char *route, const struct fault *fault, unsigned at)
{
    struct stage s;
    struct leat_pipeline_options options = {.size = sizeof(options), .route = route, .memory_limit = MEMORY};
    learn_always(strcmp(route, "auto") == 0);
    if (getenv("SWEEP_TRACE")) /* the last line before a failure is the run that failed */
        print_message("%s, %s: %s number %u, %s%s\n", scene->name, route, op_name(fault->kind), at,
                      fault->how == INJECT_SHORT || fault->how >= INJECT_SHORT_ERROR ? "short " : "",
                      fault->code ? leat_errno_name(fault->code) : "");
    stage_open(&s, scene, BYTES, &options);
    if (strstr(scene->name, "two legs"))
        assert_int_equal(leat_pipeline_filter(s.pipeline, machine(machine_same)), 0);
    if (strstr(scene->name, "buffer")) {
        struct leat_buffer_options buffer = {.size = sizeof(buffer), .bytes = BYTES / 3};
        if (strstr(scene->name, "file buffer")) {
            buffer.file = ".";
            buffer.memory = PAGE;
        }
        leat_filter *filter;
        assert_int_equal(leat_filter_buffer(&filter, &buffer, NULL), 0);
        assert_int_equal(leat_pipeline_filter(s.pipeline, filter), 0);
    }
    struct injection injection = {.fault = *fault, .at = at, .pipeline = s.pipeline};
    op_interpose(inject, &injection);
    stage_run(&s);
    op_interpose(NULL, NULL);
    check_balance(&s);
    if (s.result == 0) {
        for (size_t i = 0; i < sinks_of(scene); i++)
            check_sink_whole(&s, i);
    } else {
        check_error(&s);
        check_sinks(&s);
    }
    /* What was injected is what is told, if anything is. */
    if (s.result < 0)
        assert_int_equal(s.result, -fault->code);
    if (s.result == 0 && s.digest) {
        char hex[LEAT_DIGEST_HEX_MAX];
        assert_int_equal(leat_report_digest(s.report, s.digest, hex, sizeof(hex)), 0);
        assert_string_equal(hex, hex_of_content(s.content, BYTES, s.digest));
    }
    bool hit = injection.seen >= at;
    stage_close(&s);
    return hit;
}

static void every_call_fails_once(void **state)
{
    (void)state;
    static const char *const routes[] = {"prefer:clone",  "prefer:offload", "prefer:splice",
                                         "prefer:direct", "chunk",          "auto"};
    unsigned runs = 0, most = getenv("LEAT_TEST_QUICK") ? 6 : 40; /* the Nth call */
    size_t number = 0;
    int before = open_descriptors();
    for (size_t c = 0; c < sizeof(scenes) / sizeof(scenes[0]); c++)
        for (size_t r = 0; r < sizeof(routes) / sizeof(routes[0]); r++)
            for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]) && has_route(routes[r]) && can_play(&scenes[c]);
                 f++, number++)
                for (unsigned at = 1; at <= most && !passed_over(number, 17); at++, runs++)
                    if (!run_with(&scenes[c], routes[r], &faults[f], at))
                        break;
    print_message("%u runs with a fault\n", runs);
    assert_true(runs > (most == 40 ? 100u : 20u)); /* by one route, between files */
    learn_always(false);
    check_no_leftovers();
    assert_int_equal(open_descriptors(), before);
}

/* Several writes are under way past the cache: one comes short, and one behind it fails before it goes on. */
static void a_disk_fills_past_the_cache(void **state)
{
    (void)state;
    static const struct fault fills[] = {{OP_WRITE, INJECT_SHORT_ERROR, EIO},
                                         {OP_WRITE, INJECT_SHORT_ERROR, ENOSPC},
                                         {OP_WRITE, INJECT_SHORT_FULL, ENOSPC}};
    for (size_t f = 0; f < sizeof(fills) / sizeof(fills[0]) && has_route("direct"); f++)
        for (unsigned at = 1; at <= 20 && run_with(&scenes[0], "prefer:direct", &fills[f], at); at++)
            ;
}

/* One branch has failed; then a tee fails, and it is cancelled before the next route takes what is left. What the
 * failed branch missed is discarded, not held as well. */
struct double_fault {
    leat_pipeline *pipeline;
    unsigned drains, tees;
    bool cancels;
};

static bool fail_twice(void *user, struct op *op, ssize_t *ret_result)
{
    struct double_fault *f = user;
    if (op->kind == OP_SPLICE && op->offset[1] >= 0 && ++f->drains == 1) {
        *ret_result = -ENOSPC;
        return false;
    }
    if (op->kind != OP_TEE || !f->drains || ++f->tees != 1)
        return true;
    if (f->cancels)
        leat_pipeline_cancel(f->pipeline);
    *ret_result = -ENOMEM;
    return false;
}

static void a_tee_fails_after_a_branch(void **state)
{
    (void)state;
    static const struct scene scene = {"pipe to three", KIND_PIPE, {KIND_OLD_FILE, KIND_PIPE, KIND_PIPE}, NULL};
    for (int cancels = 0; cancels < 2 && has_route("splice"); cancels++) {
        struct stage s;
        struct leat_pipeline_options options = {
            .size = sizeof(options), .route = "prefer:splice", .memory_limit = MEMORY};
        stage_open(&s, &scene, BYTES, &options);
        struct double_fault twice = {.pipeline = s.pipeline, .cancels = cancels};
        op_interpose(fail_twice, &twice);
        stage_run(&s);
        op_interpose(NULL, NULL);
        assert_true(twice.tees >= 1);
        assert_int_equal(s.result, cancels ? -ECANCELED : -ENOSPC);
        check_balance(&s);
        check_sinks(&s);
        stage_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_disk_fills_past_the_cache),
                                       cmocka_unit_test(every_call_fails_once),
                                       cmocka_unit_test(a_tee_fails_after_a_branch)};
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
