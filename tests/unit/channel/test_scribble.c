/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * A process that does to a channel whatever it can, against an honest one whose calls must come back: it writes into
 * the memory, moves positions for ever, keeps locks for ever, claims to be dead peers, changes the flags and the counts
 * of the descriptors that all share, takes the kernel's locks on places, and passes odd descriptors. The honest process
 * must not crash, and each of its calls must come back within its time limit and what a slow machine needs besides.
 *
 * A minute, or 4000 rounds; 5 seconds with LEAT_TEST_QUICK; LEAT_SOAK_SECONDS. LEAT_SOAK_SEED repeats the round whose
 * number a failure prints, as far as timing lets it. */
/* timeout: 200
 * labels: limits long */
#include "channel/channel.h"
#include "channels.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define THREADS 4
#define LATE_MS 40000 /* no call is so late because a machine is slow */
#define LIMIT   30    /* the longest that a call of ours waits, in milliseconds */

static uint32_t random_state;
static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* ---- the hostile process ---- */

static bool for_ever; /* what it does, it does until it is killed */

struct hostile {
    leat_channel *c;
    struct set set; /* a set of descriptors as any peer has it */
    int socket;
    int own; /* the memory, opened anew, for locks on places */
};

static struct channel_way *way_of_lane(leat_channel *c)
{
    return c->out.lane ? &c->out : &c->in;
}

static uint32_t some_value(uint32_t was, const leat_channel *c)
{
    const uint32_t values[] = {0,        1,        draw(UINT32_MAX),     UINT32_MAX, 1u << draw(32),
                               was + 16, was - 16, draw(c->g.places) + 1};
    return values[draw(COUNT(values))];
}

static void write_anywhere(struct hostile *h)
{
    struct channel_way *way = way_of_lane(h->c);
    _Atomic uint32_t *at;
    switch (draw(5)) {
    case 0:
        at = (_Atomic uint32_t *)(void *)way->ring + draw((uint32_t)(h->c->g.capacity / 4));
        break;
    case 1:
        at = (_Atomic uint32_t *)(void *)h->c->places +
             draw((uint32_t)(h->c->g.places * sizeof(struct channel_place) / 4));
        break;
    case 2:
        at = (_Atomic uint32_t *)(void *)h->c->head + draw((uint32_t)(sizeof(struct channel_head) / 4));
        break;
    default:
        at = (_Atomic uint32_t *)(void *)way->lane + draw((uint32_t)(sizeof(struct channel_lane) / 4));
    }
    atomic_store(at, some_value(atomic_load(at), h->c));
}

/* A ring of records of one kind, whose end is never reached. */
static void move_for_ever(struct hostile *h)
{
    struct channel_lane *lane = way_of_lane(h->c)->lane;
    static const enum record_kind kinds[] = {RECORD_WHOLE, RECORD_FIRST, RECORD_LAST, RECORD_PART,
                                             RECORD_PART,  RECORD_PART,  RECORD_PART};
    enum record_kind kind = kinds[draw(COUNT(kinds))];
    uint32_t length = draw(3) ? 0 : draw(40), place = draw(h->c->g.places);
    uint64_t extra = draw(2) ? draw(5000) : atomic_load(&lane->next);
    enum record_state state = draw(4) ? RECORD_READY : (enum record_state)draw(4);
    for (uint64_t at = 0; at < h->c->g.ring; at += record_size(length)) {
        struct record *r = record_at(h->c, way_of_lane(h->c), at);
        atomic_store(&r->length, length);
        atomic_store(&r->mark, mark_make(kind, state, draw(2), place));
        atomic_store(&r->extra, extra);
    }
    uint64_t ahead = h->c->g.capacity / record_size(length) * record_size(length);
    for (uint32_t i = 0, n = draw(200000); for_ever || i < n; i++)
        atomic_store(&lane->tail, atomic_load(&lane->next) + ahead);
}

/* Both locks go from one place to the next, or stay with one that never gives them back. */
static void keep_locks(struct hostile *h)
{
    struct channel_way *way = way_of_lane(h->c);
    uint32_t n = draw(100000), first = draw(h->c->g.places), count = draw(3) ? 1 + draw(3) : h->c->g.places;
    bool wanted = draw(2);
    for (uint32_t i = 0; for_ever || i < n; i++) {
        uint32_t word = ((first + draw(count)) % h->c->g.places + 1) | (wanted && draw(4) ? 0x80000000u : 0);
        if (count > 1)
            atomic_store(&h->c->places[(word & 0xffff) - 1].state, PLACE_TAKEN | PLACE_ATTACHED);
        atomic_store(way->receivers.word, word);
        if (i % 3 == 0)
            atomic_store(way->senders.word, word);
    }
    if (draw(2)) {
        atomic_store(way->receivers.word, 0);
        atomic_store(way->senders.word, 0);
    }
}

static void come_and_go(struct hostile *h)
{
    for (uint32_t i = 0, n = draw(300000); for_ever || i < n; i++)
        atomic_fetch_add(&h->c->head->changes, 1);
}

static void change_descriptors(struct hostile *h)
{
    for (size_t i = 1; i < h->set.n; i++) {
        uint64_t count = UINT64_MAX - 1;
        switch (draw(5)) {
        case 0:
            fcntl(h->set.fd[i], F_SETFL, O_NONBLOCK);
            for (uint64_t bit = (uint64_t)1 << 63; bit; bit >>= 1)
                if (write(h->set.fd[i], &bit, sizeof(bit)) < 0)
                    continue;
            fcntl(h->set.fd[i], F_SETFL, 0);
            break;
        case 1:
            fcntl(h->set.fd[i], F_SETFL, O_NONBLOCK);
            if (read(h->set.fd[i], &count, sizeof(count)) < 0)
                count = 0;
            fcntl(h->set.fd[i], F_SETFL, 0);
            break;
        default:
            fcntl(h->set.fd[i], F_SETFL, draw(2) ? O_NONBLOCK : 0);
        }
    }
    lseek(h->set.fd[0], draw(4), SEEK_SET);
}

static void take_places(struct hostile *h)
{
    uint32_t place = draw(h->c->g.places);
    if (draw(2))
        platform.sharing->lock(h->own, place);
    else
        platform.sharing->unlock(h->own, place);
}

static void pass_odd(struct hostile *h)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(16 * sizeof(int))];
    } control = {0};
    int fds[16];
    size_t n = draw(2) ? h->set.n : draw(COUNT(fds) + 1);
    for (size_t i = 0; i < n; i++)
        fds[i] = i < h->set.n && draw(8) ? h->set.fd[i] : draw(2) ? h->socket : h->own;
    struct iovec iov = {&(char){0}, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        control.head.cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, n * sizeof(int));
    }
    sendmsg(h->socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Kinds of rounds: in one that destroys nothing that is checked the honest get further. */
static void scribble(struct hostile *h, bool gently)
{
    static void (*const acts[])(struct hostile *) = {change_descriptors, take_places,   pass_odd,      come_and_go,
                                                     keep_locks,         move_for_ever, write_anywhere};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpriority(PRIO_PROCESS, 0, -20); /* where it may: what it does for ever it does without a pause */
    h->own = platform.reopen(h->set.fd[0], O_RDWR);
    uint32_t few = (uint32_t)COUNT(acts) - (gently ? 1 + draw(3) : 0), only = draw(few);
    for_ever = draw(2);
    for (;;) {
        acts[for_ever ? only : draw(few)](h);
        if (draw(4) == 0)
            sched_yield();
    }
}

/* ---- the honest process ---- */

struct honest {
    leat_channel *c;
    struct set set;
    int socket; /* for the one that attaches to what is passed */
    uint32_t number;
    const char *_Atomic call; /* that it is in, since... */
    _Atomic int64_t since_ns;
    atomic_bool *stop;
    pthread_t thread;
};

#define CALL(h, f) (atomic_store(&(h)->since_ns, clock_ns()), atomic_store(&(h)->call, #f), note(h, f))

static int note(struct honest *h, int r)
{
    atomic_store(&h->call, NULL);
    static const int allowed[] = {0,       -EAGAIN,   -ETIMEDOUT, -EPROTO, -EPIPE,  -ENODATA, -EOWNERDEAD,
                                  -EINVAL, -EMSGSIZE, -EBUSY,     -ENOMEM, -EUSERS, -ENOBUFS, -ECANCELED};
    for (size_t i = 0; i < COUNT(allowed); i++)
        if (r == allowed[i])
            return r;
    print_error("a call said %d\n", r);
    abort();
}

static void send_something(struct honest *h, int limit)
{
    static const uint8_t bytes[9000];
    struct iovec v[4] = {
        {(void *)(uintptr_t)bytes, 10}, {(void *)(uintptr_t)bytes, 0}, {(void *)(uintptr_t)bytes, 900}};
    void *room;
    switch (h->number % 4) {
    case 0:
        CALL(h, leat_channel_send(h->c, bytes, mix(h->number, 1) % sizeof(bytes), limit));
        break;
    case 1:
        CALL(h, leat_channel_sendv(h->c, v, 3, NULL, limit));
        break;
    case 2:
        if (CALL(h, leat_channel_reserve(h->c, 100, &room, limit)) == 0) {
            memset(room, 1, 100);
            if (h->number & 8)
                CALL(h, leat_channel_publish(h->c, 50));
            else
                CALL(h, leat_channel_abandon(h->c));
        }
        break;
    default:
        CALL(h, leat_channel_send(h->c, bytes, mix(h->number, 1) % 200, limit));
    }
}

static void receive_something(struct honest *h, int limit)
{
    uint8_t bytes[9000], more[64];
    struct iovec v[2] = {{bytes, sizeof(bytes)}, {more, sizeof(more)}};
    struct leat_message m;
    size_t n;
    switch (h->number % 3) {
    case 0:
        CALL(h, leat_channel_receive(h->c, bytes, sizeof(bytes), &n, limit));
        break;
    case 1:
        CALL(h, leat_channel_receivev(h->c, v, 2, &n, limit));
        break;
    default:
        if (CALL(h, leat_channel_acquire(h->c, &m, limit)) == 0) {
            for (size_t i = 0; i < m.length; i++)
                bytes[0] += ((const uint8_t *)m.data)[i];
            CALL(h, leat_channel_release(h->c, &m));
        }
    }
}

static void look_around(struct honest *h)
{
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    struct set s = {.n = LEAT_CHANNEL_FDS};
    int fd = -1;
    CALL(h, leat_channel_poll_fd(h->c, h->c->in.lane ? LEAT_READ : LEAT_WRITE, &fd));
    struct pollfd p = {.fd = fd, .events = POLLIN};
    poll(&p, 1, 1);
    CALL(h, leat_channel_inspect(leat_channel_memory_fd(h->c), &info, NULL, NULL));
    if (CALL(h, leat_channel_export(h->c, s.fd, &s.n)) == 0)
        set_close(&s);
}

static int leave(leat_channel *c)
{
    leat_channel_close(c);
    return 0;
}

/* Everything that is asked of a channel; a handle that hears -EPROTO is left, and another one is made. */
static void *live(void *user)
{
    struct honest *h = user;
    while (!atomic_load(h->stop)) {
        leat_channel *passed = NULL;
        int limit = (int)(mix(h->number, 5) % 3) * (LIMIT / 2);
        h->number++;
        if (!h->c && CALL(h, leat_channel_attach(&h->c, h->set.fd, h->set.n)) < 0)
            sched_yield();
        if (h->c && h->c->out.lane)
            send_something(h, limit);
        else if (h->c)
            receive_something(h, limit);
        if (h->c && h->number % 16 == 0)
            look_around(h);
        if (h->socket >= 0 && CALL(h, leat_channel_attach_passed(&passed, h->socket, 0)) == 0)
            CALL(h, leave(passed));
        if (h->c && h->number % 64 == 0) {
            CALL(h, leave(h->c));
            h->c = NULL;
        }
    }
    if (h->c)
        CALL(h, leave(h->c));
    set_close(&h->set);
    return NULL;
}

/* Until all have ended: is any of them late? */
static void look_after(struct honest *h, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *call = atomic_load(&h[i].call);
        int64_t late = clock_ns() - atomic_load(&h[i].since_ns);
        if (call && late > (int64_t)LATE_MS * 1000000) {
            print_error("after %d ms not back: %s\n", (int)(late / 1000000), call);
            fflush(NULL);
            _exit(1);
        }
    }
}

static void *join_all(void *user)
{
    struct honest *h = user;
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(h[i].thread, NULL);
    atomic_store(h[0].stop, false);
    return NULL;
}

static void one_round(unsigned ms)
{
    static struct honest h[THREADS];
    static atomic_bool stop;
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    struct hostile hostile = {.own = -1};
    struct timeval short_time = {.tv_usec = 1000};
    int sockets[2];
    bool gently = draw(2);
    alarm(3 * LATE_MS / 1000);                                       /* for what this thread itself is kept in */
    o.ring_bytes = draw(3) == 0 ? 2048 : draw(2) ? 65536 : 32 << 20; /* in a large one a lap takes long */
    o.peers = draw(2) ? 16 : 300;
    assert_int_equal(leat_channel_open(&hostile.c, &o, NULL), 0);
    unit_socketpair(sockets);
    setsockopt(sockets[1], SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time));
    hostile.set = set_of(hostile.c, LEAT_CHANNEL_RECEIVER);
    hostile.socket = sockets[0];
    atomic_store(&stop, false);
    for (size_t i = 0; i < THREADS; i++) {
        struct set s = set_of(hostile.c, i % 2 ? LEAT_CHANNEL_RECEIVER : LEAT_CHANNEL_SENDER);
        h[i] = (struct honest){.c = set_attach(&s), .set = s, .socket = i == 3 ? sockets[1] : -1, .stop = &stop};
        assert_non_null(h[i].c);
    }
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        scribble(&hostile, gently);
    pthread_attr_t small; /* who recurses is found sooner */
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, (size_t)96 * 1024);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&h[i].thread, &small, live, &h[i]), 0);
    pthread_attr_destroy(&small);
    for (unsigned i = 0; i < ms; i += 5) {
        poll(NULL, 0, 5);
        look_after(h, THREADS);
    }
    /* It lives on, and does so, until all have come back. */
    pthread_t joiner;
    atomic_store(&stop, true);
    assert_int_equal(pthread_create(&joiner, NULL, join_all, h), 0);
    while (atomic_load(&stop)) {
        poll(NULL, 0, 2);
        look_after(h, THREADS);
    }
    pthread_join(joiner, NULL);
    kill(child, SIGKILL);
    assert_int_equal(status_of(child), -SIGKILL);
    close(sockets[0]);
    close(sockets[1]);
    set_close(&hostile.set);
    leat_channel_close(hostile.c);
    alarm(0);
}

static void test_scribble(void **state UNUSED)
{
    const char *soak = getenv("LEAT_SOAK_SECONDS"), *seed = getenv("LEAT_SOAK_SEED");
    int64_t end = clock_ns() + (soak ? atoll(soak) : getenv("LEAT_TEST_QUICK") ? 5 : 60) * 1000000000;
    uint32_t first = seed ? (uint32_t)strtoul(seed, NULL, 0) : soak ? (uint32_t)clock_ns() : 1;
    int before = unit_descriptors();
    unsigned rounds = 0;
    do {
        random_state = mix(first, 1) | 1;
        printf("LEAT_SOAK_SEED=%u\n", first++);
        one_round(10 + draw(200));
    } while (clock_ns() < end && (++rounds < 4000 || soak));
    assert_int_equal(unit_descriptors(), before);
}

/* For ThreadSanitizer. Honest threads go by numbers that the scribbler has changed, so two of them may use the same
 * bytes of the memory at once. What counts here is that they return in time, and touch no other memory. */
const char *channel_races(void) __asm__("__tsan_default_suppressions") __attribute__((visibility("default")));
const char *channel_races(void)
{
    return "race:src/channel/";
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scribble)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
