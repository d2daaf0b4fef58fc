/* SPDX-License-Identifier: MIT */
/* Measures the round trip of a message between two threads. */
#include "bench/bench.h"
#include "bench/peer.h"
#include "bench/ring.h"
#include "bench/system.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 64
#define TRIPS       20000
#define TRIPS_QUICK 2000

enum link_kind {
    LINK_PIPE,
    LINK_SOCKETPAIR,
    LINK_EVENTFD, /* the message is in memory, and an eventfd announces it */
    LINK_FUTEX,   /* the message is in memory, and a futex announces it */
    LINK_LEAT_QUEUE,
    LINK_LEAT_CHANNEL,
};

static const struct link_name {
    const char *name;
    enum link_kind kind;
} links[] = {
    {"pipe", LINK_PIPE},        {"socketpair", LINK_SOCKETPAIR}, {"eventfd", LINK_EVENTFD},
    {"futex-ring", LINK_FUTEX}, {"leat-queue", LINK_LEAT_QUEUE}, {"leat-channel", LINK_LEAT_CHANNEL},
};
#define LINKS (sizeof(links) / sizeof(links[0]))

/* One direction. */
struct latency_way {
    int read, write; /* descriptors, or -1 */
    unsigned char slot[MESSAGE_MAX];
    _Atomic uint32_t sent, received;
    struct bell bell;
    leat_writer *writer; /* ends of the library's queue, or NULL */
    leat_reader *reader;
    leat_channel *from, *to; /* handles of the library's channel; each serves both directions */
};

struct trip {
    enum link_kind kind;
    size_t n; /* of a message */
    unsigned trips;
    struct latency_way way[2]; /* there, and back */
    int code;                  /* result of the answering thread */
};

struct latency {
    size_t message;
    unsigned trips;
    double *microseconds; /* one for each trip */
};

/* ---- sending and receiving ---- */

static int write_all(int fd, const void *bytes, size_t n)
{
    ssize_t done;
    do
        done = write(fd, bytes, n);
    while (done < 0 && errno == EINTR);
    return done == (ssize_t)n ? 0 : done < 0 ? -errno : -EIO;
}

static int read_all(int fd, void *bytes, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t done = read(fd, (char *)bytes + got, n - got);
        if (done == 0)
            return -EPIPE;
        if (done < 0 && errno != EINTR)
            return -errno;
        got += done > 0 ? (size_t)done : 0;
    }
    return 0;
}

static void sleep_until_sent(struct latency_way *way)
{
    while (atomic_load(&way->sent) == atomic_load(&way->received)) {
        uint32_t entered = bell_enter(&way->bell);
        if (atomic_load(&way->sent) == atomic_load(&way->received))
            bell_sleep(&way->bell, entered);
        bell_leave(&way->bell);
    }
}

static int send_by_queue(struct latency_way *way, const void *bytes, size_t n)
{
    size_t done;
    int r = leat_writer_write(way->writer, bytes, n, &done, -1);
    return r < 0 ? r : leat_writer_flush(way->writer, -1);
}

static int send_one(struct trip *t, struct latency_way *way, const void *bytes)
{
    static const uint64_t one = 1;
    if (t->kind == LINK_PIPE || t->kind == LINK_SOCKETPAIR)
        return write_all(way->write, bytes, t->n);
    if (t->kind == LINK_LEAT_QUEUE)
        return send_by_queue(way, bytes, t->n);
    if (t->kind == LINK_LEAT_CHANNEL)
        return leat_channel_send(way->from, bytes, t->n, -1);
    memcpy(way->slot, bytes, t->n);
    if (t->kind == LINK_EVENTFD)
        return write_all(way->write, &one, sizeof(one));
    atomic_fetch_add(&way->sent, 1);
    bell_ring(&way->bell);
    return 0;
}

static int receive_one(struct trip *t, struct latency_way *way, void *bytes)
{
    uint64_t count;
    size_t n;
    int r = 0;
    if (t->kind == LINK_PIPE || t->kind == LINK_SOCKETPAIR)
        return read_all(way->read, bytes, t->n);
    if (t->kind == LINK_LEAT_QUEUE)
        return leat_reader_read_full(way->reader, bytes, t->n, &n, -1);
    if (t->kind == LINK_LEAT_CHANNEL)
        return leat_channel_receive(way->to, bytes, MESSAGE_MAX, &n, -1);
    if (t->kind == LINK_EVENTFD)
        r = read_all(way->read, &count, sizeof(count));
    else
        sleep_until_sent(way);
    memcpy(bytes, way->slot, t->n);
    if (t->kind == LINK_FUTEX)
        atomic_fetch_add(&way->received, 1);
    return r;
}

static void *answer(void *user)
{
    struct trip *t = user;
    unsigned char bytes[MESSAGE_MAX];
    for (unsigned i = 0; i < t->trips && t->code == 0; i++) {
        t->code = receive_one(t, &t->way[0], bytes);
        if (t->code == 0)
            t->code = send_one(t, &t->way[1], bytes);
    }
    return NULL;
}

/* ---- opening the ways ---- */

/* A duplex channel serves both directions. */
static int open_channel(struct trip *t)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    int fds[LEAT_CHANNEL_FDS];
    size_t n = LEAT_CHANNEL_FDS;
    leat_channel *other = NULL;
    options.duplex = 1;
    int r = leat_channel_open(&t->way[0].from, &options, NULL);
    if (r < 0)
        return r;
    r = leat_channel_export(t->way[0].from, fds, &n);
    if (r < 0)
        return r;
    r = leat_channel_attach(&other, fds, n);
    while (n > 0)
        close(fds[--n]);
    t->way[1].to = t->way[0].from;
    t->way[0].to = t->way[1].from = other;
    return r;
}

static int open_queues(struct trip *t)
{
    int r = 0;
    for (int i = 0; i < 2 && r == 0; i++)
        r = leat_pipe_open(&t->way[i].writer, &t->way[i].reader, NULL, NULL);
    return r;
}

/* A socket pair serves both directions of a trip. An eventfd is both ends of one direction. */
static int open_ways(struct trip *t)
{
    int pair[2];
    for (int i = 0; i < 2; i++)
        t->way[i].read = t->way[i].write = -1;
    if (t->kind == LINK_LEAT_QUEUE)
        return open_queues(t);
    if (t->kind == LINK_LEAT_CHANNEL)
        return open_channel(t);
    if (t->kind == LINK_FUTEX)
        return system_sleeps ? 0 : -ENOSYS;
    if (t->kind == LINK_SOCKETPAIR) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
            return -errno;
        t->way[0].write = t->way[1].read = pair[0];
        t->way[1].write = t->way[0].read = pair[1];
    }
    for (int i = 0; i < 2 && t->kind == LINK_PIPE; i++) {
        if (pipe(pair) < 0)
            return -errno;
        t->way[i].read = pair[0];
        t->way[i].write = pair[1];
    }
    for (int i = 0; i < 2 && t->kind == LINK_EVENTFD; i++) {
        int fd = system_eventfd();
        if (fd < 0)
            return fd;
        t->way[i].read = t->way[i].write = fd;
    }
    return 0;
}

static void close_ways(struct trip *t)
{
    for (int i = 0; i < 2; i++) {
        if (t->way[i].write >= 0)
            close(t->way[i].write);
        if (t->way[i].read >= 0 && t->kind == LINK_PIPE) /* else the same descriptor is a writing end, too */
            close(t->way[i].read);
        leat_writer_close(t->way[i].writer);
        leat_reader_close(t->way[i].reader);
        leat_channel_close(t->way[i].from);
    }
}

/* ---- one run ---- */

/* If one side fails, it closes nothing, because the failure is the same on both sides: the other one does not wait. */
static int go(struct trip *t, double *microseconds)
{
    unsigned char bytes[MESSAGE_MAX] = {1};
    pthread_t thread;
    int r = peer_thread(&thread, answer, t);
    if (r < 0)
        return r;
    for (unsigned i = 0; i < t->trips && r == 0; i++) {
        double began = clock_seconds();
        r = send_one(t, &t->way[0], bytes);
        if (r == 0)
            r = receive_one(t, &t->way[1], bytes);
        microseconds[i] = (clock_seconds() - began) * 1e6;
    }
    pthread_join(thread, NULL);
    return r < 0 ? r : t->code;
}

static int run(struct row *row, struct contender *c, struct sample *ret)
{
    struct latency *latency = row->user;
    struct trip trip = {
        .kind = ((const struct link_name *)c->how)->kind, .n = latency->message, .trips = latency->trips};
    int r = open_ways(&trip);
    double cpu = cpu_seconds(), began = clock_seconds();
    if (r == 0)
        r = go(&trip, latency->microseconds);
    close_ways(&trip);
    if (r < 0)
        return r;
    *ret = (struct sample){.seconds = clock_seconds() - began,
                           .cpu_seconds = cpu_seconds() - cpu,
                           .bytes = (uint64_t)latency->message * latency->trips * 2};
    spread_of(latency->microseconds, latency->trips);
    ret->latency[P50] = quantile(latency->microseconds, latency->trips, 0.5);
    ret->latency[P99] = quantile(latency->microseconds, latency->trips, 0.99);
    ret->latency[P999] = quantile(latency->microseconds, latency->trips, 0.999);
    return 0;
}

/* ---- the rows ---- */

static int measure(const char *name, struct latency *latency, const struct bench_options *o)
{
    struct row *row = row_new(name, o, latency, run);
    if (!row)
        return -ENOMEM;
    row->latencies = true;
    snprintf(row->title, sizeof(row->title), "%zu byte%s there and back between two threads, %u times",
             latency->message, latency->message == 1 ? "" : "s", latency->trips);
    for (size_t i = 0; i < LINKS; i++) {
        struct contender *c = row_add(row, links[i].name, "threads", latency->message);
        if (c)
            c->how = &links[i];
    }
    int code = row_measure(row, o);
    row_free(row);
    return code;
}

int bench_latency(const struct bench_options *o)
{
    static const struct {
        const char *name;
        size_t message;
    } rows[] = {{"latency/1", 1}, {"latency/64", 64}};
    struct latency latency = {.trips = o->quick ? TRIPS_QUICK : TRIPS};
    int r = 0;
    latency.microseconds = calloc(latency.trips, sizeof(double));
    if (!latency.microseconds)
        r = -ENOMEM;
    for (size_t i = 0; i < 2 && r == 0 && !stop_asked(); i++) {
        latency.message = rows[i].message;
        if (row_wanted(rows[i].name, o->only))
            r = measure(rows[i].name, &latency, o);
    }
    free(latency.microseconds);
    if (r < 0)
        cli_warn("bench: %s", strerror(-r));
    return r < 0 ? EXIT_FAILED : r;
}
