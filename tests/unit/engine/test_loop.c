/* SPDX-License-Identifier: MIT */
/* engines: uring, uring:all
 * Loops and their engines, with toy tasks that follow a script: operations, waits, deadlines, pokes, notices; and that
 * an engine sleeps while it waits. */
#include "base/fd.h"
#include "engine/engine.h"
#include "unit/engine/wanted.h"
#include "unit/unit.h"
#include <poll.h>
#include <pthread.h>

struct toy {
    struct task task;
    struct loop loop;
    enum verdict (*script)(struct toy *toy, struct op **ret_op, struct wait_set *ret_wait);
    struct op op;
    struct port port;
    unsigned nexts, dones, ends;
    ssize_t result;
    int64_t deadline_ns;
    atomic_bool go;
    int fd[2];
    char byte;
    unsigned left;
};

static enum verdict toy_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait)
{
    struct toy *toy = (struct toy *)task;
    toy->nexts++;
    return toy->script(toy, ret_op, ret_wait);
}

static void toy_done(struct task *task, struct op *op, ssize_t result)
{
    struct toy *toy = (struct toy *)task;
    assert_ptr_equal(op, &toy->op);
    toy->dones++;
    toy->result = result;
}

static void toy_ended(struct task *task)
{
    ((struct toy *)task)->ends++;
}

static void toy_init(struct toy *toy, enum verdict (*script)(struct toy *, struct op **, struct wait_set *))
{
    memset(toy, 0, sizeof(*toy));
    toy->script = script;
    toy->task.next = toy_next;
    toy->task.done = toy_done;
    toy->task.ended = toy_ended;
    port_init(&toy->port, -1, 0);
    assert_int_equal(loop_open(&toy->loop, engine_wanted(), NULL), 0);
    assert_int_equal(pipe(toy->fd), 0);
}

static void toy_free(struct toy *toy)
{
    loop_close(&toy->loop);
    fd_close(toy->fd[0]);
    fd_close(toy->fd[1]);
}

static void toy_run(struct toy *toy)
{
    loop_add(&toy->loop, &toy->task);
    loop_quit(&toy->loop);
    loop_run(&toy->loop);
    assert_int_equal(toy->ends, 1);
}

/* ---- operations ---- */

static ssize_t give_42(void *user UNUSED, void *bytes UNUSED, size_t n)
{
    return (ssize_t)n + 41;
}

static enum verdict ten_calls(struct toy *toy, struct op **ret_op, struct wait_set *ret_wait)
{
    assert_true(ret_wait->n == 0 && ret_wait->deadline_ns == 0);
    assert_ptr_equal(toy->task.loop, &toy->loop);
    if (toy->dones == 10)
        return VERDICT_END;
    toy->op = (struct op){.kind = OP_READ, .fd = {-1, -1}, .length = 1, .call = give_42};
    *ret_op = &toy->op;
    return VERDICT_OP;
}

static void each_op_is_done_once(void **state UNUSED)
{
    struct toy toy;
    toy_init(&toy, ten_calls);
    toy_run(&toy);
    assert_int_equal(toy.nexts, 11);
    assert_int_equal(toy.dones, 10);
    assert_int_equal(toy.result, 42);
    toy_free(&toy);
}

static enum verdict bad_call(struct toy *toy, struct op **ret_op, struct wait_set *ret_wait UNUSED)
{
    toy->op = (struct op){.kind = OP_READ, .fd = {-1, -1}, .offset = {-1, -1}, .bytes = &toy->byte, .length = 1};
    *ret_op = &toy->op;
    return toy->dones ? VERDICT_END : VERDICT_OP;
}

static void a_failure_is_a_result(void **state UNUSED)
{
    struct toy toy;
    toy_init(&toy, bad_call);
    toy_run(&toy);
    assert_int_equal(toy.result, -EBADF);
    toy_free(&toy);
}

/* ---- several at once ---- */

#define MANY 40 /* more than there are helpers */

struct crowd {
    struct task task;
    struct loop loop;
    struct op op[MANY];
    unsigned begun, dones, ended_at;
    atomic_uint inside, most;
    bool leaves; /* it says END while its ops are out */
    bool refused;
};

static ssize_t rest(void *user, void *bytes UNUSED, size_t n)
{
    struct crowd *crowd = user;
    unsigned now = atomic_fetch_add(&crowd->inside, 1) + 1, most = atomic_load(&crowd->most);
    while (most < now && !atomic_compare_exchange_weak(&crowd->most, &most, now))
        ;
    nanosleep(&(struct timespec){0, 5000000}, NULL);
    atomic_fetch_sub(&crowd->inside, 1);
    return (ssize_t)n;
}

static enum verdict crowd_next(struct task *task, struct op **ret_op, struct wait_set *ret_wait UNUSED)
{
    struct crowd *crowd = (struct crowd *)task;
    if (crowd->begun == MANY)
        return crowd->leaves || crowd->dones == MANY ? VERDICT_END : VERDICT_WAIT;
    struct op *op = &crowd->op[crowd->begun++];
    *op = (struct op){
        .kind = OP_READ, .fd = {-1, -1}, .length = crowd->begun, .flags = OP_ASYNC, .call = rest, .user = crowd};
    *ret_op = op;
    return VERDICT_OP;
}

static void crowd_done(struct task *task, struct op *op, ssize_t result)
{
    struct crowd *crowd = (struct crowd *)task;
    assert_int_equal(result, crowd->refused ? -EIO : op - crowd->op + 1);
    crowd->dones++;
}

static void crowd_ended(struct task *task)
{
    struct crowd *crowd = (struct crowd *)task;
    crowd->ended_at = crowd->dones;
}

static bool refuse(void *user UNUSED, struct op *op UNUSED, ssize_t *ret_result)
{
    *ret_result = -EIO;
    return false;
}

static unsigned crowd_run(bool leaves, bool refused)
{
    struct crowd crowd = {
        .task = {.next = crowd_next, .done = crowd_done, .ended = crowd_ended}, .leaves = leaves, .refused = refused};
    assert_int_equal(loop_open(&crowd.loop, &engine_sync, NULL), 0);
    op_interpose(refused ? refuse : NULL, NULL);
    loop_add(&crowd.loop, &crowd.task);
    loop_quit(&crowd.loop);
    loop_run(&crowd.loop);
    op_interpose(NULL, NULL);
    assert_int_equal(crowd.dones, MANY);
    assert_int_equal(crowd.ended_at, MANY);
    loop_close(&crowd.loop);
    return crowd.most;
}

static void many_calls_at_once(void **state UNUSED)
{
    assert_in_range(crowd_run(false, false), 2, 16);
}

static void what_is_out_is_waited_for(void **state UNUSED)
{
    crowd_run(true, false);
    crowd_run(true, true);
    crowd_run(false, true);
}

/* ---- waiting for a descriptor ---- */

static enum verdict read_when_ready(struct toy *toy, struct op **ret_op, struct wait_set *ret_wait)
{
    if (toy->dones)
        return VERDICT_END;
    if (toy->port.blocked) {
        wait_add(ret_wait, &toy->port);
        return VERDICT_WAIT;
    }
    toy->op =
        (struct op){.kind = OP_READ, .fd = {toy->fd[0], -1}, .offset = {-1, -1}, .bytes = &toy->byte, .length = 1};
    *ret_op = &toy->op;
    return VERDICT_OP;
}

static void *write_later(void *user)
{
    struct toy *toy = user;
    usleep(30000);
    ssize_t n = write(toy->fd[1], "x", 1);
    (void)n;
    return NULL;
}

static void a_ready_descriptor_ends_the_wait(void **state UNUSED)
{
    struct toy toy;
    pthread_t thread;
    toy_init(&toy, read_when_ready);
    port_init(&toy.port, toy.fd[0], POLLIN);
    toy.port.blocked = true;
    assert_int_equal(pthread_create(&thread, NULL, write_later, &toy), 0);
    toy_run(&toy);
    pthread_join(thread, NULL);
    assert_int_equal(toy.result, 1);
    assert_int_equal(toy.byte, 'x');
    assert_true(toy.nexts <= 4); /* it slept meanwhile */
    toy_free(&toy);
}

static void a_hang_up_is_ready_too(void **state UNUSED)
{
    struct toy toy;
    unit_needs(unit_pipes_end(), "pipes with an end");
    toy_init(&toy, read_when_ready);
    port_init(&toy.port, toy.fd[0], POLLIN);
    toy.port.blocked = true;
    close(toy.fd[1]);
    toy_run(&toy);
    assert_int_equal(toy.result, 0);
    toy.fd[1] = -1;
    toy_free(&toy);
}

static enum verdict until_unblocked(struct toy *toy, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    if (!toy->port.blocked)
        return VERDICT_END;
    wait_add(ret_wait, &toy->port);
    return VERDICT_WAIT;
}

static void a_closed_descriptor_does_not_wait_for_ever(void **state UNUSED)
{
    struct toy toy;
    toy_init(&toy, until_unblocked);
    port_init(&toy.port, 1000000, POLLIN);
    toy.port.blocked = true;
    toy_run(&toy);
    assert_int_equal(toy.nexts, 2);
    toy_free(&toy);
}

/* Only what is ready is unblocked: the others still have to be waited for. */
static enum verdict until_first(struct toy *toy, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    static struct port never;
    if (toy->nexts == 1) {
        port_init(&never, toy->fd[0], POLLIN);
        never.blocked = true;
    }
    assert_true(never.blocked);
    if (!toy->port.blocked)
        return VERDICT_END;
    wait_add(ret_wait, &never);
    wait_add(ret_wait, &toy->port);
    return VERDICT_WAIT;
}

static void only_what_is_ready_is_unblocked(void **state UNUSED)
{
    struct toy toy;
    toy_init(&toy, until_first);
    port_init(&toy.port, toy.fd[1], POLLOUT);
    toy.port.blocked = true;
    toy_run(&toy);
    assert_int_equal(toy.nexts, 2);
    toy_free(&toy);
}

/* ---- deadlines ---- */

static enum verdict until_deadline(struct toy *toy, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    if (clock_ns() >= toy->deadline_ns)
        return VERDICT_END;
    ret_wait->deadline_ns = toy->deadline_ns;
    return VERDICT_WAIT;
}

static void a_deadline_ends_the_wait_once(void **state UNUSED)
{
    static const int64_t waits[] = {-1000000, 0, 1, 300000, 1000000, 25000000};
    for (size_t i = 0; i < COUNT(waits); i++) {
        struct toy toy;
        toy_init(&toy, until_deadline);
        toy.deadline_ns = clock_ns() + waits[i];
        toy_run(&toy);
        assert_true(clock_ns() >= toy.deadline_ns);
        assert_true(toy.nexts <= 3);
        toy_free(&toy);
    }
}

/* ---- other threads ---- */

static enum verdict until_go(struct toy *toy, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    if (atomic_load(&toy->go))
        return VERDICT_END;
    toy->port.blocked = true;
    wait_add(ret_wait, &toy->port);
    return VERDICT_WAIT;
}

static void *poke_later(void *user)
{
    struct toy *toy = user;
    usleep(20000);
    atomic_store(&toy->go, true);
    loop_poke(&toy->loop, &toy->task);
    return NULL;
}

static void *notify_later(void *user)
{
    struct toy *toy = user;
    usleep(20000);
    atomic_store(&toy->go, true);
    port_notify(&toy->port);
    return NULL;
}

static void ends_by(void *(*other)(void *))
{
    struct toy toy;
    pthread_t thread;
    toy_init(&toy, until_go);
    port_attach(&toy.port, &toy.loop.waker);
    assert_int_equal(pthread_create(&thread, NULL, other, &toy), 0);
    toy_run(&toy);
    pthread_join(thread, NULL);
    assert_true(toy.nexts <= 3);
    toy_free(&toy);
}

static void a_poke_ends_the_wait(void **state UNUSED)
{
    ends_by(poke_later);
}

static void a_notice_ends_the_wait(void **state UNUSED)
{
    ends_by(notify_later);
}

static enum verdict twice(struct toy *toy, struct op **ret_op UNUSED, struct wait_set *ret_wait UNUSED)
{
    return toy->nexts < 2 ? VERDICT_WAIT : VERDICT_END; /* for nothing at all */
}

static void a_poke_before_the_run_is_seen(void **state UNUSED)
{
    struct toy toy;
    toy_init(&toy, twice);
    loop_poke(&toy.loop, &toy.task);
    toy_run(&toy);
    assert_int_equal(toy.nexts, 2);
    toy_free(&toy);
}

/* Notices at any moment: before the wait, in it, behind it. The last one must be seen. */
#define NOTICES 20000

static enum verdict count_notices(struct toy *toy, struct op **ret_op UNUSED, struct wait_set *ret_wait)
{
    if (!toy->port.blocked && atomic_load(&toy->go))
        return VERDICT_END;
    toy->port.blocked = true;
    if (atomic_load(&toy->go)) /* it may have been set between, and its notice still comes */
        ret_wait->deadline_ns = clock_ns() + 60000000000;
    wait_add(ret_wait, &toy->port);
    return VERDICT_WAIT;
}

static void *notify_often(void *user)
{
    struct toy *toy = user;
    int64_t until = clock_ns() + 200000000;
    for (unsigned i = 0; i < NOTICES && clock_ns() < until; i++)
        port_notify(&toy->port);
    atomic_store(&toy->go, true);
    port_notify(&toy->port);
    return NULL;
}

static void no_notice_is_lost(void **state UNUSED)
{
    struct toy toy;
    pthread_t thread;
    toy_init(&toy, count_notices);
    port_attach(&toy.port, &toy.loop.waker);
    assert_int_equal(pthread_create(&thread, NULL, notify_often, &toy), 0);
    int64_t begun = clock_ns();
    toy_run(&toy);
    assert_true(clock_ns() - begun < 30000000000);
    pthread_join(thread, NULL);
    toy_free(&toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_op_is_done_once),
        cmocka_unit_test(a_failure_is_a_result),
        cmocka_unit_test(many_calls_at_once),
        cmocka_unit_test(what_is_out_is_waited_for),
        cmocka_unit_test(a_ready_descriptor_ends_the_wait),
        cmocka_unit_test(a_hang_up_is_ready_too),
        cmocka_unit_test(a_closed_descriptor_does_not_wait_for_ever),
        cmocka_unit_test(only_what_is_ready_is_unblocked),
        cmocka_unit_test(a_deadline_ends_the_wait_once),
        cmocka_unit_test(a_poke_ends_the_wait),
        cmocka_unit_test(a_notice_ends_the_wait),
        cmocka_unit_test(a_poke_before_the_run_is_seen),
        cmocka_unit_test(no_notice_is_lost),
    };
    if (engine_missing())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
