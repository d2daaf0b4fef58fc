/* SPDX-License-Identifier: MIT */
/* Handles, and the descriptors of which further handles are made. The first descriptor of a set is the memory, opened
 * anew. It has the kernel's lock on the place that was taken for the receiver of the set, and its file position says
 * which end that is. */
#include "base/error.h"
#include "base/fd.h"
#include "channel/channel.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPINS_FIRST 200

static void way_reset(struct channel_way *way)
{
    way->lane = NULL;
    way->event = -1;
    poll_init(way);
    atomic_init(&way->spins, SPINS_FIRST);
}

static leat_channel *handle_new(const struct geometry *g, uint32_t end)
{
    leat_channel *c = calloc(1, sizeof(*c));
    if (!c || pthread_mutex_init(&c->mutex, NULL) != 0) {
        free(c);
        return NULL;
    }
    c->g = *g;
    c->end = end;
    c->fd = c->child_fd = c->watch_number = -1;
    c->looked_ns = clock_ns();
    atomic_init(&c->known, UINT64_MAX);
    way_reset(&c->out);
    way_reset(&c->in);
    return c;
}

static void way_close(leat_channel *c, struct channel_way *way)
{
    if (way->ring)
        munmap(way->ring, (size_t)(2 * c->g.ring));
    way->event = fd_close(way->event);
    poll_close(way);
}

static void handle_free(leat_channel *c)
{
    way_close(c, &c->out);
    way_close(c, &c->in);
    if (c->head)
        munmap(c->head, c->mapped);
    fd_close(c->fd);
    free(c->stream.bytes);
    pthread_mutex_destroy(&c->mutex);
    free(c);
}

static int way_map(leat_channel *c, struct channel_way *way, uint32_t index, int fd)
{
    void *ring;
    int r = platform.sharing->map_twice(fd, c->g.rings_at + index * c->g.ring, (size_t)c->g.ring, &ring);
    if (r < 0)
        return r;
    way->ring = ring;
    way->lane = (struct channel_lane *)(void *)((uint8_t *)c->head + c->g.lanes_at) + index;
    way->senders.word = &way->lane->sender_lock;
    way->receivers.word = &way->lane->receiver_lock;
    return 0;
}

/* The sender's end sends in lane 0. In a duplex channel it receives in lane 1. */
static struct channel_way *way_of(leat_channel *c, uint32_t lane)
{
    return lane == c->end ? &c->out : &c->in;
}

/* Maps the memory through an open file without a lock. A mapping keeps its file open, in children too, and would keep a
 * lock with it. */
static int handle_map(leat_channel *c, int memory)
{
    CLEANUP_FD int fd = platform.reopen(memory, O_RDWR);
    if (fd < 0)
        return fd;
    c->mapped = (size_t)c->g.rings_at;
    void *at = mmap(NULL, c->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    c->head = at;
    c->places = (struct channel_place *)(void *)((uint8_t *)at + PAGE);
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < c->g.lanes; i++)
        r = way_map(c, way_of(c, i), i, fd);
    return r;
}

/* Sets the events of the handle. `events`: that of lane 0, then of lane 1; the handle gets duplicates. NULL: makes new
 * events. */
static int handle_events(leat_channel *c, const int *events)
{
    for (uint32_t i = 0; i < c->g.lanes; i++) {
        int fd = events ? fcntl(events[i], F_DUPFD_CLOEXEC, 3) : platform.sharing->event();
        if (fd < 0)
            return events ? -errno : fd;
        way_of(c, i)->event = fd;
    }
    return 0;
}

/* Opens the memory anew and takes a place for a peer that is still to come. Returns the descriptor or a negative
 * errno. */
static int open_place(leat_channel *c, uint32_t end)
{
    uint32_t place;
    int fd = platform.reopen(c->fd, O_RDWR);
    if (fd < 0)
        return fd;
    int r = peers_take(c, fd, end, 0, &place);
    if (r < 0) {
        fd_close(fd);
        return r;
    }
    return fd;
}

/* Makes the handle a peer. From here on it takes part in forks. */
static int handle_join(leat_channel *c, int memory)
{
    int r = fork_enlist(c);
    if (r < 0)
        return r;
    pthread_mutex_lock(&c->mutex);
    c->fd = platform.reopen(memory, O_RDWR);
    r = c->fd < 0 ? c->fd : peers_join(c, c->fd);
    pthread_mutex_unlock(&c->mutex);
    if (r < 0)
        fork_delist(c);
    return r;
}

static int handle_make(leat_channel **ret, const struct geometry *g, uint32_t end, int fd, const int *events)
{
    leat_channel *c = handle_new(g, end);
    if (!c)
        return -ENOMEM;
    int r = handle_map(c, fd);
    if (r == 0 && !events)
        c->head->geometry = *g;
    if (r == 0)
        r = handle_events(c, events);
    if (r == 0)
        r = handle_join(c, fd);
    if (r < 0) {
        handle_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

static int open_new(leat_channel **ret, const struct leat_channel_options *options, struct leat_error *error)
{
    struct leat_channel_options own;
    struct geometry g;
    int r = options_copy(&own, sizeof(own), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "channel", "open", "The options are not those of this version");
    if (!platform.sharing)
        return error_at(error, -ENOSYS, LEAT_SIDE_NONE, "channel", "open", "Only Linux has what channels need");
    r = geometry_make(&g, &own, error);
    if (r < 0)
        return r;
    CLEANUP_FD int fd = platform.sharing->make("leat-channel", g.total);
    return fd < 0 ? fd : handle_make(ret, &g, (uint32_t)own.end, fd, NULL);
}

int leat_channel_open(leat_channel **ret_channel, const struct leat_channel_options *options,
                      struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, open_new(ret_channel, options, &error));
}

int channel_read_geometry(int fd, struct geometry *ret)
{
    struct geometry g;
    struct stat st;
    if (!platform.sharing)
        return -ENOSYS;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || platform.sharing->check(fd) < 0)
        return -EPROTO;
    if (pread(fd, &g, sizeof(g), 0) != (ssize_t)sizeof(g) || !geometry_is_sound(&g) || (uint64_t)st.st_size != g.total)
        return -EPROTO;
    *ret = g;
    return 0;
}

int leat_channel_attach(leat_channel **ret_channel, const int *fds, size_t n)
{
    struct geometry g = {0};
    int r = n > 0 ? channel_read_geometry(fds[0], &g) : -EINVAL;
    if (r < 0)
        return r;
    int64_t end = platform.sharing->position(fds[0]);
    if (end < 0)
        return (int)end;
    end--;
    if (n != 1 + (size_t)g.lanes || (end != LEAT_CHANNEL_SENDER && end != LEAT_CHANNEL_RECEIVER))
        return -EPROTO;
    for (size_t i = 1; i < n; i++)
        if (!platform.sharing->is_event(fds[i]))
            return -EPROTO;
    return handle_make(ret_channel, &g, (uint32_t)end, fds[0], fds + 1);
}

/* If all places are taken, the places of crashed peers are freed first. */
static int export_memory(leat_channel *c, enum leat_channel_end end)
{
    int fd = open_place(c, (uint32_t)end);
    if (fd == -EUSERS) {
        const struct channel_limit patience = limit_of(LEAT_CHANNEL_PATIENCE_MS);
        atomic_store(&c->looked_ns, 0);
        peers_bury_crashed(c, &patience);
        fd = open_place(c, (uint32_t)end);
    }
    if (fd >= 0 && lseek(fd, (off_t)end + 1, SEEK_SET) < 0) {
        int r = -errno;
        fd_close(fd);
        return r;
    }
    return fd;
}

int leat_channel_export_end(leat_channel *c, enum leat_channel_end end, int *fds, size_t *inout_n)
{
    int made[LEAT_CHANNEL_FDS];
    size_t count = 1 + (size_t)c->g.lanes, i;
    if (end != LEAT_CHANNEL_SENDER && end != LEAT_CHANNEL_RECEIVER)
        return -EINVAL;
    if (*inout_n < count)
        return -ENOBUFS;
    channel_enter(c);
    for (i = 0; i < count; i++) {
        made[i] = i == 0 ? export_memory(c, end) : fcntl(way_of(c, (uint32_t)(i - 1))->event, F_DUPFD_CLOEXEC, 3);
        if (made[i] < 0)
            break;
    }
    if (i < count) {
        int r = i == 0 ? made[0] : -errno;
        while (i--)
            fd_close(made[i]);
        return r;
    }
    memcpy(fds, made, count * sizeof(int));
    *inout_n = count;
    return 0;
}

int leat_channel_export(leat_channel *c, int *fds, size_t *inout_n)
{
    return leat_channel_export_end(c, c->end == LEAT_CHANNEL_SENDER ? LEAT_CHANNEL_RECEIVER : LEAT_CHANNEL_SENDER, fds,
                                   inout_n);
}

int leat_channel_memory_fd(leat_channel *c)
{
    return c->fd;
}

static void handle_leave(leat_channel *c, bool failed)
{
    if (!c)
        return;
    watch_stop(c);
    fork_delist(c);
    if (atomic_load(&c->reserved))
        leat_channel_abandon(c);
    send_forget(c);
    if (c->fd >= 0)
        peers_leave(c, failed);
    peers_tell_crashes(c);
    handle_free(c);
}

void leat_channel_close(leat_channel *c)
{
    handle_leave(c, false);
}

void channel_fail(leat_channel *c)
{
    handle_leave(c, true);
}
