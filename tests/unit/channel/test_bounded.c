/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * A peer that does one thing for ever, against calls that have a limit: each comes back, with the code that the header
 * names. Whether one does not come back is told by the time limit of the test. */
/* timeout: 120
 * labels: long */
#include "channel/channel.h"
#include "channels.h"
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

struct pest {
    leat_channel *c;
    pthread_t thread;
    atomic_bool stop;
    uint32_t first, count;
};

static void pest_start(struct pest *p, void *(*f)(void *))
{
    assert_int_equal(pthread_create(&p->thread, NULL, f, p), 0);
}

static void pest_stop(struct pest *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
}

static struct channel_way *way_of_lane(leat_channel *c)
{
    return c->out.lane ? &c->out : &c->in;
}

static void put_part(leat_channel *c, uint64_t at, enum record_kind kind, uint32_t length, uint64_t extra)
{
    struct record *r = record_at(c, way_of_lane(c), at);
    atomic_store(&r->length, length);
    atomic_store(&r->mark, mark_make(kind, RECORD_READY, 0, 0));
    atomic_store(&r->extra, extra);
}

/* The ring is full of parts that belong to no message, and stays so. It is so large that this thread may be kept from
 * running for a while before a lap of it has passed. */
static void *parts_for_ever(void *user)
{
    struct pest *p = user;
    struct channel_lane *lane = way_of_lane(p->c)->lane;
    for (uint64_t at = 0; at < p->c->g.ring; at += UNIT)
        put_part(p->c, at, RECORD_PART, 0, 12345);
    while (!atomic_load(&p->stop))
        atomic_store(&lane->tail, atomic_load(&lane->next) + p->c->g.capacity);
    return NULL;
}

static void *cancel_soon(void *user)
{
    struct pest *p = user;
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    leat_channel_cancel(p->c);
    return NULL;
}

static void test_parts_for_ever(void **state UNUSED)
{
    leat_channel *c = channel_make(0, 0, getenv("LEAT_TEST_QUICK") ? 1 << 20 : 32 << 20), *d = other_end(c);
    struct pest p = {.c = c}, q = {.c = d};
    uint8_t bytes[64];
    struct leat_message m;
    size_t n;
    pest_start(&p, parts_for_ever);
    while (atomic_load(&c->out.lane->tail) == 0)
        sched_yield();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(leat_channel_receive(d, bytes, sizeof(bytes), &n, 0), -EAGAIN);
        assert_int_equal(leat_channel_receive(d, bytes, sizeof(bytes), &n, 5), -ETIMEDOUT);
        assert_int_equal(leat_channel_acquire(d, &m, 0), -EAGAIN);
        assert_int_equal(leat_channel_acquire(d, &m, 5), -ETIMEDOUT);
    }
    pest_start(&q, cancel_soon);
    assert_int_equal(leat_channel_receive(d, bytes, sizeof(bytes), &n, -1), -ECANCELED);
    pest_stop(&q);
    pest_stop(&p);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* A long message of parts without bytes never ends. */
static void test_empty_parts(void **state UNUSED)
{
    leat_channel *c = channel_make(0, 0, 4096), *d = other_end(c);
    static uint8_t bytes[1 << 20];
    size_t n;
    for (uint64_t at = 2 * UNIT; at < c->g.capacity; at += UNIT)
        put_part(c, at, RECORD_PART, 0, 0);
    put_part(c, 0, RECORD_FIRST, UNIT, sizeof(bytes));
    atomic_store(&c->out.lane->stream, 1);
    atomic_store(&c->out.lane->tail, c->g.capacity);
    assert_int_equal(leat_channel_receive(d, bytes, sizeof(bytes), &n, 1000), -EPROTO);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* Peers come and go without a pause, says a counter. */
static void *changes_for_ever(void *user)
{
    struct pest *p = user;
    while (!atomic_load(&p->stop))
        atomic_fetch_add(&p->c->head->changes, 1);
    return NULL;
}

static void test_changes_for_ever(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 2, 0), *d = other_end(c);
    struct pest p = {.c = c};
    uint32_t number = 7;
    size_t n;
    pest_start(&p, changes_for_ever);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), -EAGAIN);
        assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
        assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
        assert_int_equal(leat_channel_send(c, &number, 4, 0), -EAGAIN);
        assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), 0);
        assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), 0);
    }
    assert_int_equal(leat_channel_receive(d, &number, 4, &n, 20), -ETIMEDOUT);
    pest_stop(&p);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* Places from the second on that no peer has, and that claim to be taken. */
static void claim_places(leat_channel *c, uint32_t first)
{
    for (uint32_t i = first; i < c->g.places; i++)
        atomic_store(&c->places[i].state, PLACE_TAKEN | PLACE_ATTACHED | (i % 2 ? PLACE_RECEIVER : 0));
}

/* Both locks of a lane go from one dead owner to the next. */
static void *dead_owners(void *user)
{
    struct pest *p = user;
    struct channel_way *way = way_of_lane(p->c);
    for (uint32_t i = 0; !atomic_load(&p->stop); i++) {
        uint32_t place = p->first + mix(i, 3) % p->count;
        atomic_store(&p->c->places[place].state, PLACE_TAKEN | PLACE_ATTACHED);
        atomic_store(way->receivers.word, place + 1);
        atomic_store(way->senders.word, place + 1);
    }
    atomic_store(way->receivers.word, 0);
    atomic_store(way->senders.word, 0);
    return NULL;
}

static void is_one_of(int r, const int *codes, size_t n)
{
    bool known = false;
    for (size_t i = 0; i < n; i++)
        known = known || r == codes[i];
    if (!known)
        print_error("the call said %d\n", r);
    assert_true(known);
}

static void test_dead_owners(void **state UNUSED)
{
    static const int codes[] = {0, -EAGAIN, -ETIMEDOUT, -EPROTO, -EPIPE, -ENODATA, -EOWNERDEAD};
    for (int round = 0; round < 4; round++) {
        struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
        leat_channel *c;
        o.peers = 512;
        assert_int_equal(leat_channel_open(&c, &o, NULL), 0);
        leat_channel *d = other_end(c);
        struct pest p = {.c = c, .first = 8, .count = 500};
        uint8_t bytes[64] = {0};
        size_t n;
        claim_places(c, 8);
        pest_start(&p, dead_owners);
        for (int i = 0; i < 10; i++) {
            atomic_store(&c->looked_ns, 0);
            atomic_store(&d->looked_ns, 0);
            is_one_of(leat_channel_send(c, bytes, 8, i % 2 ? 0 : 10), codes, COUNT(codes));
            is_one_of(leat_channel_receive(d, bytes, 8, &n, i % 2 ? 0 : 10), codes, COUNT(codes));
        }
        pest_stop(&p);
        leat_channel_close(d);
        leat_channel_close(c);
    }
}

/* A peer that is quick enough for the worst: whenever a call has locked the place of a dead owner, to bury it, both
 * locks have another dead owner already. */
#define DEEP 65536

static struct {
    leat_channel *c; /* NULL: it does nothing */
    const char *base;
    uint32_t moves;
    bool too_deep;
} quick;

static void own_by_the_dead(void)
{
    struct channel_way *way = way_of_lane(quick.c);
    uint32_t place = 8 + quick.moves++ % 500;
    atomic_store(way->receivers.word, place + 1);
    atomic_store(way->senders.word, place + 1);
}

static void stop_being_quick(void)
{
    struct channel_way *way = way_of_lane(quick.c);
    quick.c = NULL;
    atomic_store(way->receivers.word, 0);
    atomic_store(way->senders.word, 0);
}

/* Takes the place of fcntl(2), in which the kernel's locks are taken. */
int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    int r = (int)syscall(SYS_fcntl, fd, command, argument);
    if (r == 0 && quick.c && command == F_OFD_SETLK && ((struct flock *)argument)->l_type == F_WRLCK) {
        own_by_the_dead();
        if (quick.base - (const char *)__builtin_frame_address(0) > DEEP) {
            quick.too_deep = true;
            stop_being_quick();
        }
    }
    return r;
}

static void test_owners_one_behind_the_other(void **state UNUSED)
{
    static const int codes[] = {0, -EAGAIN, -ETIMEDOUT, -EPROTO, -EPIPE, -ENODATA, -EOWNERDEAD};
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    leat_channel *c;
    o.peers = 512;
    assert_int_equal(leat_channel_open(&c, &o, NULL), 0);
    leat_channel *d = other_end(c);
    uint8_t bytes[64] = {0};
    size_t n;
    for (int i = 0; i < 8; i++) {
        claim_places(c, 8);
        quick.c = c;
        quick.base = __builtin_frame_address(0);
        quick.moves = 0;
        own_by_the_dead();
        if (i % 2)
            is_one_of(leat_channel_send(c, bytes, 8, i % 4 < 2 ? 0 : 10), codes, COUNT(codes));
        else
            is_one_of(leat_channel_receive(d, bytes, 8, &n, i % 4 < 2 ? 0 : 10), codes, COUNT(codes));
        assert_false(quick.too_deep);
        assert_true(quick.moves > 1); /* it was in the way */
        stop_being_quick();
    }
    leat_channel_close(d);
    leat_channel_close(c);
}

static void *forks(void *user UNUSED)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return (void *)(intptr_t)status_of(child);
}

/* All places were a dead peer's, and a living one never gives the lock back that is needed to clear them. Attaching,
 * exporting and a fork meanwhile are done in a time that does not depend on the number of places. */
static void test_attach(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 8, 0), *d = other_end(c), *e = NULL;
    struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    pthread_t thread;
    void *status;
    claim_places(c, 4);
    atomic_store(c->out.receivers.word, d->place + 1);
    atomic_store(&c->places[3].state, PLACE_TAKEN | PLACE_ATTACHED);
    int64_t begin = clock_ns();
    assert_int_equal(pthread_create(&thread, NULL, forks, NULL), 0);
    assert_int_equal(leat_channel_attach(&e, s.fd, s.n), -EUSERS);
    assert_int_equal(leat_channel_export(c, fds, &n), -EUSERS);
    assert_int_equal(pthread_join(thread, &status), 0);
    assert_int_equal((intptr_t)status, 0);
    assert_true(clock_ns() - begin < (int64_t)20 * 1000000000); /* a second for each place is a minute */
    atomic_store(c->out.receivers.word, 0);
    set_close(&s);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* A peer keeps the receivers' lock; what a receiver that leaves held goes to another one later all the same. */
static void test_close(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 8, 0), *d = other_end(c), *e = other_end(c);
    uint32_t number = 7;
    struct leat_message m;
    assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
    assert_int_equal(leat_channel_acquire(d, &m, 0), 0);
    atomic_store(c->out.receivers.word, c->place + 1);
    leat_channel_close(d);
    atomic_store(c->out.receivers.word, 0);
    number = 0;
    assert_int_equal(leat_channel_receive(e, &number, 4, NULL, 10000), 0);
    assert_int_equal(number, 7);
    leat_channel_close(e);
    leat_channel_close(c);
}

/* Another peer takes O_NONBLOCK from the events, which all share, and perhaps fills them to the brim. */
static void test_event_flags(void **state UNUSED)
{
    for (int full = 0; full < 2; full++) {
        leat_channel *c = channel_make(4, 2, 0), *d = other_end(c);
        struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
        uint32_t number = 1;
        size_t n;
        int in, out;
        assert_int_equal(leat_channel_poll_fd(d, LEAT_READ, &in), 0);
        assert_int_equal(leat_channel_poll_fd(c, LEAT_WRITE, &out), 0);
        for (size_t i = 1; i < s.n; i++) {
            /* As many as there is room for: the largest number that is still taken, bit by bit. */
            for (uint64_t bit = (uint64_t)1 << 63; full && bit; bit >>= 1)
                if (write(s.fd[i], &bit, sizeof(bit)) < 0)
                    assert_int_equal(errno, EAGAIN);
            assert_int_equal(fcntl(s.fd[i], F_SETFL, 0), 0);
        }
        for (int i = 0; i < 3; i++) {
            assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), -EAGAIN);
            assert_int_equal(leat_channel_receive(d, &number, 4, &n, 5), -ETIMEDOUT);
            assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
            assert_int_equal(leat_channel_send(c, &number, 4, 100), 0);
            assert_int_equal(leat_channel_send(c, &number, 4, 0), -EAGAIN);
            assert_int_equal(leat_channel_send(c, &number, 4, 5), -ETIMEDOUT);
            assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), 0);
            assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), 0);
        }
        leat_channel_cancel(d);
        set_close(&s);
        leat_channel_close(d);
        leat_channel_close(c);
    }
}

/* What can't be done at once is -EAGAIN where timeout_ms is 0, and -ETIMEDOUT where it is not: in each call. */
static void expect_all(leat_channel *c, leat_channel *d, int timeout_ms, bool full)
{
    int r = timeout_ms ? -ETIMEDOUT : -EAGAIN;
    uint32_t number = 0;
    struct iovec v = {&number, sizeof(number)};
    struct leat_message m;
    size_t n = 9;
    void *room;
    if (full) {
        assert_int_equal(leat_channel_send(c, &number, 4, timeout_ms), r);
        assert_int_equal(leat_channel_sendv(c, &v, 1, &n, timeout_ms), r);
        assert_int_equal(n, 0);
        assert_int_equal(leat_channel_reserve(c, 4, &room, timeout_ms), r);
        return;
    }
    assert_int_equal(leat_channel_receive(d, &number, 4, &n, timeout_ms), r);
    assert_int_equal(n, 9);
    assert_int_equal(leat_channel_receivev(d, &v, 1, &n, timeout_ms), r);
    assert_int_equal(n, 0);
    assert_int_equal(leat_channel_acquire(d, &m, timeout_ms), r);
}

static void test_codes(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0), *d = other_end(c);
    struct set s = set_of(c, LEAT_CHANNEL_SENDER);
    leat_channel *c2 = set_attach(&s);
    set_close(&s);
    for (int timeout_ms = 0; timeout_ms < 11; timeout_ms += 10) {
        uint32_t number = 0;
        size_t n;
        void *room;
        expect_all(c, d, timeout_ms, false); /* nothing is there */
        assert_int_equal(leat_channel_send(c, &number, 4, timeout_ms), 0);
        expect_all(c, d, timeout_ms, true); /* there is no room */
        assert_int_equal(leat_channel_receive(d, &number, 4, &n, timeout_ms), 0);
        assert_int_equal(leat_channel_reserve(c2, 4, &room, 0), 0);
        expect_all(c, d, timeout_ms, true); /* another peer has the senders' lock */
        assert_int_equal(leat_channel_abandon(c2), 0);
        atomic_store(d->in.receivers.word, c->place + 1);
        expect_all(c, d, timeout_ms, false); /* and the receivers' */
        atomic_store(d->in.receivers.word, 0);
    }
    leat_channel_close(c2);
    leat_channel_close(d);
    leat_channel_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_for_ever),
        cmocka_unit_test(test_empty_parts),
        cmocka_unit_test(test_changes_for_ever),
        cmocka_unit_test(test_dead_owners),
        cmocka_unit_test(test_owners_one_behind_the_other),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_event_flags),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_close),
    };
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
