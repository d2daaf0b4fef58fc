/* SPDX-License-Identifier: MIT */
/* The caller's functions: counts that can't be, "not yet" and notices, and the two last calls. */
#include "unit/endpoint/endpoints.h"
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

struct user {
    int result;
    size_t count;
    unsigned reads, writes, finishes, frees;
    int finish_code, finish_result;
};

static int user_read(void *user, void *bytes UNUSED, size_t n UNUSED, size_t *ret_n)
{
    struct user *u = user;
    u->reads++;
    *ret_n = u->count;
    return u->result;
}

static int user_write(void *user, const void *bytes UNUSED, size_t n UNUSED, size_t *ret_n)
{
    struct user *u = user;
    u->writes++;
    *ret_n = u->count;
    return u->result;
}

static int user_finish(void *user, int code)
{
    struct user *u = user;
    u->finishes++;
    u->finish_code = code;
    return u->finish_result;
}

static void user_free(void *user)
{
    struct user *u = user;
    u->frees++;
}

static leat_endpoint *endpoint(struct user *u, enum leat_direction direction)
{
    struct leat_endpoint_callbacks callbacks = {
        .size = sizeof(callbacks), .read = user_read, .write = user_write, .finish = user_finish, .free = user_free};
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, u, NULL), 0);
    e->node.direction = direction;
    assert_int_equal(node_open(e, &no_file, NULL), 0);
    return e;
}

static ssize_t call(leat_endpoint *e, size_t n)
{
    char bytes[100];
    memset(bytes, 0, sizeof(bytes));
    return e->node.call(e->node.call_user, bytes, n);
}

static void counts_that_can_t_be_are_eproto(void **state UNUSED)
{
    static const struct {
        enum leat_direction direction;
        int result;
        size_t count;
        ssize_t expected;
    } cases[] = {
        {LEAT_READ, 0, 10, 10},
        {LEAT_READ, 0, 1, 1},
        {LEAT_READ, 0, 0, 0},
        {LEAT_READ, 0, 11, -EPROTO},
        {LEAT_READ, 0, SIZE_MAX, -EPROTO},
        {LEAT_READ, -EIO, 5, -EIO},
        {LEAT_READ, -EAGAIN, 0, -EAGAIN},
        {LEAT_WRITE, 0, 10, 10},
        {LEAT_WRITE, 0, 1, 1},
        {LEAT_WRITE, 0, 0, -EPROTO},
        {LEAT_WRITE, 0, 11, -EPROTO},
        {LEAT_WRITE, 0, SIZE_MAX, -EPROTO},
        {LEAT_WRITE, -EIO, 0, -EIO},
        {LEAT_WRITE, -EAGAIN, 0, -EAGAIN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct user u = {.result = cases[i].result, .count = cases[i].count};
        leat_endpoint *e = endpoint(&u, cases[i].direction);
        ssize_t r = call(e, 10);
        if (r != cases[i].expected)
            fail_msg("case %zu: %zd", i, r);
        assert_int_equal(u.reads + u.writes, 1);
        node_abort(e, 0);
        node_end(e);
    }
}

static void the_needed_function_must_be_there(void **state UNUSED)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .free = user_free};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct user u = {0};
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_callbacks(&e, NULL, &u, NULL), -EINVAL);
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, &u, &error), -EINVAL);
    assert_string_equal(error.text, "read or write must be given");
    assert_string_equal(error.node, "callback");
    callbacks.size = 1;
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, &u, &error), -EINVAL);
    assert_string_equal(error.text, "The functions are not those of this version");
    callbacks.size = sizeof(callbacks);
    error = LEAT_INIT(struct leat_error);
    assert_int_equal(u.frees, 0);
    callbacks.read = user_read;
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, &u, NULL), 0);
    e->node.direction = LEAT_WRITE;
    assert_int_equal(node_open(e, &no_file, &error), -EINVAL);
    assert_non_null(strstr(error.text, "write callback"));
    node_end(e);
    callbacks.read = NULL;
    callbacks.write = user_write;
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, &u, NULL), 0);
    assert_int_equal(node_open(e, &no_file, NULL), -EINVAL);
    node_end(e);
    assert_int_equal(u.frees, 2);
}

static void finish_is_called_once(void **state UNUSED)
{
    struct user u = {.finish_code = 77};
    leat_endpoint *e = endpoint(&u, LEAT_WRITE);
    assert_int_equal(node_finish(e, 0, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_abort(e, 0);
    node_end(e);
    assert_true(u.finishes == 1 && u.finish_code == 0 && u.frees == 1);

    u = (struct user){.finish_code = 77};
    e = endpoint(&u, LEAT_WRITE);
    node_abort(e, 0);
    node_abort(e, 0);
    node_end(e);
    assert_true(u.finishes == 1 && u.finish_code == -EIO && u.frees == 1);
}

static void an_error_of_finish_is_an_error_of_commit(void **state UNUSED)
{
    struct user u = {.finish_result = -EDOM};
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *e = endpoint(&u, LEAT_WRITE);
    assert_int_equal(node_commit(e, &error), -EDOM);
    assert_string_equal(error.operation, "finish");
    node_abort(e, 0);
    node_end(e);
    assert_int_equal(u.finishes, 1);
}

static void free_is_the_last_call_of_the_last_reference(void **state UNUSED)
{
    struct user u = {0};
    int descriptors = unit_descriptors();
    leat_endpoint *e = endpoint(&u, LEAT_READ);
    leat_endpoint_ref(e);
    leat_endpoint_close(e);
    assert_int_equal(u.frees, 0);
    leat_endpoint_close(e);
    assert_int_equal(u.frees, 1);
    assert_int_equal(u.finishes, 0);
    assert_int_equal(unit_descriptors(), descriptors);
}

static void optional_functions_are_optional(void **state UNUSED)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = user_read};
    struct user u = {0};
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, &u, NULL), 0);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_abort(e, 0);
    node_end(e);
}

/* An older caller's struct ends before `finish`: what lies behind is not called. */
static void an_older_struct_has_fewer_functions(void **state UNUSED)
{
    struct leat_endpoint_callbacks callbacks = {.size = offsetof(struct leat_endpoint_callbacks, finish),
                                                .read = user_read,
                                                .write = user_write,
                                                .finish = user_finish,
                                                .free = user_free};
    struct user u = {0};
    leat_endpoint *e;
    assert_int_equal(leat_endpoint_from_callbacks(&e, &callbacks, &u, NULL), 0);
    assert_int_equal(node_open(e, NULL, NULL), 0);
    assert_int_equal(node_commit(e, NULL), 0);
    node_end(e);
    assert_true(u.finishes == 0 && u.frees == 0);
}

/* ---- notices ---- */

static int ready(leat_endpoint *e, int timeout_ms)
{
    struct pollfd set = {.fd = e->node.port.fd, .events = e->node.port.events};
    return poll(&set, 1, timeout_ms);
}

static void a_notice_makes_it_ready_until_it_is_asked(void **state UNUSED)
{
    struct user u = {.count = 1};
    leat_endpoint *e = endpoint(&u, LEAT_READ);
    assert_int_equal(ready(e, 0), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(leat_endpoint_notify(e), 0);
    assert_int_equal(ready(e, 0), 1);
    assert_int_equal(call(e, 1), 1);
    assert_int_equal(ready(e, 0), 0);
    node_end(e);
}

/* More than the pipe holds: nothing blocks, nothing is lost. */
static void a_flood_of_notices_is_one(void **state UNUSED)
{
    struct user u = {.count = 1};
    leat_endpoint *e = endpoint(&u, LEAT_READ);
    errno = ENOTTY;
    for (int i = 0; i < 70000; i++)
        leat_endpoint_notify(e);
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(ready(e, 0), 1);
    assert_int_equal(call(e, 1), 1);
    assert_int_equal(ready(e, 0), 0);
    node_end(e);
}

/* A producer on another thread: each time there is something it is put down and notified. The consumer takes "not yet"
 * and sleeps, as the engine does; if a notice got lost it would sleep for ever. */
#define ITEMS 20000

struct producer {
    leat_endpoint *endpoint;
    atomic_uint there;
    unsigned taken;
};

static int take(void *user, void *bytes UNUSED, size_t n, size_t *ret_n)
{
    struct producer *p = user;
    unsigned there = atomic_load(&p->there);
    if (there == p->taken)
        return -EAGAIN;
    *ret_n = MIN(n, there - p->taken);
    p->taken += (unsigned)*ret_n;
    return 0;
}

static void *produce(void *user)
{
    struct producer *p = user;
    int64_t until = clock_ns() + 300000000;
    for (unsigned i = 0; i < ITEMS; i++) {
        if (clock_ns() > until) {
            atomic_fetch_add(&p->there, ITEMS - i);
            leat_endpoint_notify(p->endpoint);
            break;
        }
        atomic_fetch_add(&p->there, 1);
        leat_endpoint_notify(p->endpoint);
    }
    return NULL;
}

static void no_notice_is_lost(void **state UNUSED)
{
    struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = take};
    struct producer p = {0};
    pthread_t thread;
    bool lost = false;
    assert_int_equal(leat_endpoint_from_callbacks(&p.endpoint, &callbacks, &p, NULL), 0);
    assert_int_equal(node_open(p.endpoint, NULL, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
    while (p.taken < ITEMS && !lost)
        if (call(p.endpoint, 100) == -EAGAIN)
            lost = ready(p.endpoint, 5000) == 0;
    pthread_join(thread, NULL);
    assert_false(lost);
    node_end(p.endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_that_can_t_be_are_eproto),
        cmocka_unit_test(the_needed_function_must_be_there),
        cmocka_unit_test(finish_is_called_once),
        cmocka_unit_test(an_error_of_finish_is_an_error_of_commit),
        cmocka_unit_test(free_is_the_last_call_of_the_last_reference),
        cmocka_unit_test(optional_functions_are_optional),
        cmocka_unit_test(an_older_struct_has_fewer_functions),
        cmocka_unit_test(a_notice_makes_it_ready_until_it_is_asked),
        cmocka_unit_test(a_flood_of_notices_is_one),
        cmocka_unit_test(no_notice_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
