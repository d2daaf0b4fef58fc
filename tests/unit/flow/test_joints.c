/* SPDX-License-Identifier: MIT */
/* emscripten: its pipes have no end
 * engines: uring
 * A filter that joins: two pipes, and somebody between them who reads the one and writes the other, as a child process
 * does. Its end, and how well it was, count before anything is published. */
#include "base/fd.h"
#include "legs.h"
#include "node/node.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#define N      1000000
#define FAILED (-EOWNERDEAD)

/* What "the child" does, beside passing on what it reads. */
struct conduct {
    bool leaves; /* behind so many bytes */
    size_t behind;
    bool is_mute; /* closes its output, and reads on to the end */
    bool lingers; /* after its output is closed, until its input is */
    bool fails;   /* in the end */
};

struct child {
    leat_filter filter;
    struct conduct conduct;
    struct node into, out;
    int in[2], to[2], gone[2];
    pthread_t thread;
    bool runs;
    size_t read; /* by the child */
    unsigned opened, finished, waited, committed, aborted, closed;
};

/* ---- the child ---- */

static void *live(void *user)
{
    struct child *c = user;
    static __thread uint8_t bytes[10000];
    ssize_t n = 1;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (c->conduct.is_mute)
        c->to[1] = fd_close(c->to[1]);
    while (n > 0 && !(c->conduct.leaves && c->read >= c->conduct.behind)) {
        size_t most = c->conduct.leaves ? c->conduct.behind - c->read : SIZE_MAX;
        n = read(c->in[0], bytes, MIN(sizeof(bytes), most));
        c->read += (size_t)MAX(n, 0);
        for (ssize_t at = 0, w; n > 0 && at < n && c->to[1] >= 0; at += w)
            if ((w = write(c->to[1], bytes + at, (size_t)(n - at))) < 0)
                n = -1;
    }
    c->to[1] = fd_close(c->to[1]);
    while (c->conduct.lingers && read(c->in[0], bytes, sizeof(bytes)) > 0)
        ;
    c->in[0] = fd_close(c->in[0]);
    c->gone[1] = fd_close(c->gone[1]);
    return NULL;
}

/* ---- its two nodes ---- */

static int into_open(struct node *node, const struct node *source UNUSED, struct leat_error *error UNUSED)
{
    struct child *c = (struct child *)((char *)node - offsetof(struct child, into));
    c->opened++;
    if (pipe(c->in) < 0 || pipe(c->to) < 0 || pipe(c->gone) < 0)
        return -errno;
    fcntl(c->in[1], F_SETFL, O_NONBLOCK);
    fcntl(c->to[0], F_SETFL, O_NONBLOCK);
    c->runs = pthread_create(&c->thread, NULL, live, c) == 0;
    node_set_fd(node, c->in[1], -1, NODE_WAIT_OWN);
    return 0;
}

static int into_finish(struct node *node, uint64_t delivered UNUSED, struct leat_error *error UNUSED)
{
    struct child *c = (struct child *)((char *)node - offsetof(struct child, into));
    c->finished++;
    c->in[1] = fd_close(c->in[1]);
    return 0;
}

static struct child *child_of_out(struct node *node)
{
    return (struct child *)((char *)node - offsetof(struct child, out));
}

static int out_open(struct node *node, const struct node *source UNUSED, struct leat_error *error UNUSED)
{
    struct child *c = child_of_out(node);
    assert_int_equal(c->opened, 1);
    c->opened++;
    node_set_fd(node, c->to[0], -1, NODE_WAIT_OWN);
    return 0;
}

/* Nobody reads on; then it is waited for. */
static int out_finish(struct node *node, uint64_t delivered UNUSED, struct leat_error *error)
{
    struct child *c = child_of_out(node);
    struct pollfd gone = {.fd = c->gone[0], .events = POLLIN};
    if (c->waited++ == 0) {
        c->to[0] = fd_close(c->to[0]);
        port_init(&node->port, c->gone[0], POLLIN);
    }
    if (poll(&gone, 1, 0) == 0) {
        node->port.blocked = true;
        return -EAGAIN;
    }
    return c->conduct.fails ? error_set(error, FAILED, "The child has failed") : 0;
}

static int out_commit(struct node *node, struct leat_error *error UNUSED)
{
    child_of_out(node)->committed++;
    return 0;
}

static void out_abort(struct node *node, int code, uint64_t delivered UNUSED)
{
    assert_true(code < 0);
    child_of_out(node)->aborted++;
}

static void out_close(struct node *node)
{
    struct child *c = child_of_out(node);
    c->closed++;
    if (!c->runs)
        return;
    c->in[1] = fd_close(c->in[1]);
    c->to[0] = fd_close(c->to[0]);
    pthread_join(c->thread, NULL);
    c->gone[0] = fd_close(c->gone[0]);
    c->runs = false;
}

static const struct node_ops into_ops = {.name = "child", .open = into_open, .finish = into_finish};
static const struct node_ops out_ops = {.name = "child",
                                        .open = out_open,
                                        .finish = out_finish,
                                        .commit = out_commit,
                                        .abort = out_abort,
                                        .close = out_close};

/* ---- the filter ---- */

static void child_join(leat_filter *filter, struct node **ret_sink, struct node **ret_source)
{
    struct child *c = (struct child *)filter;
    *ret_sink = &c->into;
    *ret_source = &c->out;
}

static void child_free(leat_filter *filter)
{
    free(filter);
}

static const struct filter_ops child_ops = {
    .name = "child", .caps = FILTER_JOINS, .join = child_join, .free = child_free};

static struct node node_of(enum leat_direction direction)
{
    return (struct node){.ops = direction == LEAT_READ ? &out_ops : &into_ops,
                         .name = "child",
                         .direction = direction,
                         .kind = NODE_PIPE,
                         .wait = NODE_WAIT_OWN,
                         .port.fd = -1,
                         .fd = -1,
                         .seek_fd = -1,
                         .position = -1};
}

/* One reference is the caller's. */
static struct child *child_in(leat_pipeline *p, struct conduct conduct)
{
    struct child *c = calloc(1, sizeof(*c));
    filter_init(&c->filter, &child_ops);
    c->conduct = conduct;
    c->into = node_of(LEAT_WRITE);
    c->out = node_of(LEAT_READ);
    assert_int_equal(leat_pipeline_filter(p, leat_filter_ref(&c->filter)), 0);
    return c;
}

/* ---- what comes of it ---- */

static leat_report *report;

static int run(leat_pipeline *p)
{
    leat_report_free(report);
    report = NULL;
    assert_int_equal(leat_pipeline_start(p), 0);
    int r = leat_pipeline_wait(p, 20000, &report);
    assert_non_null(report);
    leat_pipeline_free(p);
    return r;
}

/* Each hook came once, and the end was of this kind; drops it. */
static void check_child(struct child *c, bool good)
{
    assert_int_equal(c->opened, 2);
    assert_int_equal(c->committed, good);
    assert_int_equal(c->aborted, !good);
    assert_int_equal(c->closed, 1);
    assert_true(c->finished <= 1 && (!good || (c->finished == 1 && c->waited >= 1)));
    leat_filter_free(&c->filter);
}

static leat_pipeline *between_files(void)
{
    unit_write("from", letters, N);
    unit_write("to", "the old file", 12);
    return pipeline_of(NULL, spec("from", LEAT_READ), spec("to", LEAT_WRITE));
}

static void check_file(size_t n)
{
    uint8_t *bytes = malloc(N + 1);
    int fd = open("to", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes, N + 1), n);
    assert_memory_equal(bytes, letters, n);
    close(fd);
    free(bytes);
}

static void all_passes_a_child(void **state UNUSED)
{
    leat_pipeline *p = between_files();
    struct child *c = child_in(p, (struct conduct){.fails = false});
    assert_int_equal(run(p), 0);
    check_file(N);
    check_balance(report, 2);
    check_child(c, true);
}

static void children_and_transforms_in_a_row(void **state UNUSED)
{
    leat_pipeline *p = between_files();
    struct child *c[3];
    leat_pipeline_filter(p, digest_of("crc32c"));
    c[0] = child_in(p, (struct conduct){.lingers = true});
    leat_pipeline_filter(p, machine(machine_twice));
    c[1] = child_in(p, (struct conduct){.lingers = false});
    c[2] = child_in(p, (struct conduct){.lingers = true});
    leat_pipeline_filter(p, machine(machine_half));
    leat_pipeline_filter(p, digest_of("crc32c"));
    assert_int_equal(run(p), 0);
    check_file(N);
    check_balance(report, 6);
    for (size_t i = 0; i < 3; i++)
        check_child(c[i], true);
    const char *algorithm, *hex[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(leat_report_digest_at(report, i, &algorithm, &hex[i]), 0);
    assert_string_equal(hex[0], hex[1]);
}

/* Whether it has read all or not: that writing to it broke is not what is told. */
static void a_child_fails(void **state UNUSED)
{
    static const size_t behind[] = {0, 1, 70000, N - 1, N, SIZE_MAX};
    for (size_t i = 0; i < COUNT(behind); i++) {
        leat_pipeline *p = between_files();
        struct conduct conduct = {.fails = true, .leaves = true, .behind = behind[i]};
        leat_pipeline_filter(p, digest_of("crc32c"));
        struct child *c = child_in(p, conduct);
        assert_int_equal(run(p), FAILED);
        const struct leat_error *error = leat_report_error(report);
        assert_int_equal(error->side, LEAT_SIDE_FILTER);
        assert_int_equal(error->index, 1);
        assert_string_equal(error->text, "The child has failed");
        unit_holds("to", "the old file");
        check_balance(report, 2);
        check_child(c, false);
    }
}

static void a_child_leaves_early(void **state UNUSED)
{
    static const size_t behind[] = {0, 1, 70000, N};
    for (size_t i = 0; i < COUNT(behind); i++) {
        leat_pipeline *p = between_files();
        struct child *c = child_in(p, (struct conduct){.leaves = true, .behind = behind[i]});
        assert_int_equal(run(p), 0);
        check_file(behind[i]);
        check_balance(report, 2);
        check_child(c, true);
    }
}

/* The source says nothing for ever. */
static void a_child_leaves_and_nobody_writes(void **state UNUSED)
{
    struct gate from = {.n = N};
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("to", LEAT_WRITE));
    struct child *c = child_in(p, (struct conduct){.leaves = true});
    assert_int_equal(run(p), 0);
    check_child(c, true);
}

/* Its output has ended, and it reads on: it gets all there is. */
static void a_child_that_says_nothing_gets_all(void **state UNUSED)
{
    for (int last = 0; last < 2; last++) {
        leat_pipeline *p = between_files();
        struct child *c[2] = {NULL, NULL};
        for (int i = 0; i <= last; i++)
            c[i] = child_in(p, (struct conduct){.is_mute = i == last});
        assert_int_equal(run(p), 0);
        assert_int_equal(c[last]->read, N);
        check_file(0);
        for (int i = 0; i <= last; i++)
            check_child(c[i], true);
    }
}

static void nobody_wants_more_of_a_child(void **state UNUSED)
{
    struct machine_plan ends = {.every = 1, .times = 1, .ends = true, .behind = 1000};
    leat_pipeline *p = between_files();
    struct child *c = child_in(p, (struct conduct){.lingers = false});
    leat_pipeline_filter(p, machine(ends));
    assert_int_equal(run(p), 0);
    check_file(1000);
    check_child(c, true);
}

/* ---- others fail ---- */

static void a_failure_is_no_end_for_a_child(void **state UNUSED)
{
    struct machine_plan bad = {.every = 1, .times = 1, .fails = true, .behind = 500000};
    for (int behind = 0; behind < 2; behind++) {
        leat_pipeline *p = between_files();
        struct child *c = NULL;
        if (behind)
            c = child_in(p, (struct conduct){.lingers = true});
        leat_pipeline_filter(p, machine(bad));
        if (!behind)
            c = child_in(p, (struct conduct){.lingers = true});
        assert_int_equal(run(p), -EILSEQ);
        assert_true(behind || c->finished == 0);
        unit_holds("to", "the old file");
        check_balance(report, 3);
        check_child(c, false);
    }
}

static void cancelled_while_a_child_is_waited_for(void **state UNUSED)
{
    struct gate from = {.n = N};
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("new", LEAT_WRITE));
    struct child *c = child_in(p, (struct conduct){.is_mute = true});
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    usleep(10000);
    leat_pipeline_cancel(p);
    assert_int_equal(leat_pipeline_wait(p, 20000, NULL), -ECANCELED);
    leat_pipeline_free(p);
    assert_int_equal(c->finished, 0);
    assert_int_equal(access("new", F_OK), -1);
    check_child(c, false);
}

/* Its nodes are the other pipeline's. */
static void a_child_of_another_pipeline_is_left_alone(void **state UNUSED)
{
    struct gate from = {.n = N};
    leat_pipeline *p = pipeline_of(NULL, gate(&from), spec("to", LEAT_WRITE));
    struct child *c = child_in(p, (struct conduct){.lingers = false});
    assert_int_equal(leat_pipeline_start(p), 0);
    wait_until_asked(&from);
    leat_pipeline *q = pipeline_of(NULL, from_bytes(letters, N), spec("new", LEAT_WRITE));
    leat_pipeline_filter(q, leat_filter_ref(&c->filter));
    assert_int_equal(run_and_free(q), -EBUSY);
    let_go(&from);
    assert_int_equal(leat_pipeline_wait(p, 20000, NULL), 0);
    leat_pipeline_free(p);
    check_child(c, true);
}

static int end_joints(void **state)
{
    leat_report_free(report);
    return unit_folder_gone(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_passes_a_child),
        cmocka_unit_test(children_and_transforms_in_a_row),
        cmocka_unit_test(a_child_fails),
        cmocka_unit_test(a_child_leaves_early),
        cmocka_unit_test_teardown(a_child_leaves_and_nobody_writes, unit_empty),
        cmocka_unit_test(a_child_that_says_nothing_gets_all),
        cmocka_unit_test(nobody_wants_more_of_a_child),
        cmocka_unit_test_teardown(a_failure_is_no_end_for_a_child, unit_empty),
        cmocka_unit_test_teardown(cancelled_while_a_child_is_waited_for, unit_empty),
        cmocka_unit_test_teardown(a_child_of_another_pipeline_is_left_alone, unit_empty),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, begin_legs, end_joints);
}
