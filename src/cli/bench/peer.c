/* SPDX-License-Identifier: MIT */
#include "bench/peer.h"
#include "bench/bench.h"
#include "bench/system.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE (256u << 10)

static int peers_cpu = -1;

void peer_pin(int cpu)
{
    peers_cpu = cpu;
}

const void *peer_bytes(void)
{
    static void *bytes;
    if (!bytes && posix_memalign(&bytes, 4096, PEER_BYTES) == 0)
        for (size_t i = 0; i < PEER_BYTES; i++)
            ((unsigned char *)bytes)[i] = (unsigned char)(i * 2654435761u >> 13);
    return bytes;
}

uint64_t sum_bytes(const void *bytes, size_t n)
{
    uint64_t sum = 0, word;
    const unsigned char *at = bytes;
    for (; n >= sizeof(word); at += sizeof(word), n -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += word;
    }
    while (n-- > 0)
        sum += *at++;
    return sum;
}

static void feed(struct peer *peer)
{
    const char *bytes = peer_bytes();
    bool gives = true; /* until the kernel says that it is no pipe */
    uint64_t left = peer->bytes;
    while (left > 0 && !stop_asked()) {
        size_t at = (size_t)((peer->bytes - left) % PEER_BYTES), n = PEER_BYTES - at;
        n = n < AT_ONCE ? n : AT_ONCE;
        n = n < left ? n : (size_t)left;
        ssize_t done = gives ? system_give(peer->fd, bytes + at, n, true) : write(peer->fd, bytes + at, n);
        if (done > 0)
            left -= (uint64_t)done;
        else if (gives && done < 0 && errno != EPIPE && errno != EINTR)
            gives = false;
        else if (done < 0 && errno != EINTR)
            break;
    }
}

static void read_all(struct peer *peer)
{
    char *buffer = malloc(AT_ONCE);
    uint64_t sum = 0;
    for (ssize_t n = 0; buffer;) {
        n = read(peer->fd, buffer, AT_ONCE);
        if (n == 0 || (n < 0 && errno != EINTR))
            break;
        peer->bytes += n > 0 ? (uint64_t)n : 0;
        if (n > 0 && peer->job == PEER_SUM)
            sum += sum_bytes(buffer, (size_t)n);
    }
    peer->sum = sum;
    free(buffer);
}

static void throw_away(struct peer *peer)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ssize_t n = 1;
    while (null >= 0 && (n > 0 || errno == EINTR)) {
        n = system_pass(peer->fd, null, AT_ONCE, true);
        peer->bytes += n > 0 ? (uint64_t)n : 0;
        if (n == 0)
            break;
    }
    if (null >= 0)
        close(null);
    if (n != 0)
        read_all(peer);
}

static void *run(void *user)
{
    struct peer *peer = user;
    struct timespec used = {0};
    if (peer->listens) {
        int listener = peer->fd;
        peer->fd = accept(listener, NULL, NULL); /* -1: each call on it fails, and the peer ends */
        close(listener);
    }
    if (peer->job == PEER_FEED)
        feed(peer);
    else if (peer->job == PEER_SUM)
        read_all(peer);
    else
        throw_away(peer);
    close(peer->fd);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    peer->cpu_seconds = (double)used.tv_sec + (double)used.tv_nsec / 1e9;
    return NULL;
}

struct start {
    void *(*run)(void *);
    void *user;
};

static void *pinned(void *user)
{
    struct start start = *(struct start *)user;
    free(user);
    system_pin(peers_cpu); /* bench.c has checked that this works */
    return start.run(start.user);
}

int peer_thread(pthread_t *ret, void *(*function)(void *), void *user)
{
    sigset_t all, saved;
    struct start *start = NULL;
    if (peers_cpu >= 0 && !(start = malloc(sizeof(*start))))
        return -ENOMEM;
    if (start)
        *start = (struct start){function, user};
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &saved);
    int r = start ? pthread_create(ret, NULL, pinned, start) : pthread_create(ret, NULL, function, user);
    pthread_sigmask(SIG_SETMASK, &saved, NULL);
    if (r)
        free(start);
    return -r;
}

static int start(struct peer *peer)
{
    int r = peer_bytes() ? peer_thread(&peer->thread, run, peer) : -ENOMEM;
    if (r < 0)
        close(peer->fd);
    peer->running = r == 0;
    return r;
}

int peer_start(struct peer *peer, enum peer_job job, int fd, uint64_t bytes)
{
    *peer = (struct peer){.job = job, .fd = fd, .bytes = bytes};
    return start(peer);
}

int peer_start_listener(struct peer *peer, enum peer_job job, int listener, uint64_t bytes)
{
    *peer = (struct peer){.job = job, .fd = listener, .listens = true, .bytes = bytes};
    return start(peer);
}

static int make_pipe(int ret[2], size_t size)
{
    if (pipe(ret) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        fcntl(ret[i], F_SETFD, FD_CLOEXEC);
    int r = size ? system_pipe_size(ret[1], size) : 0;
    if (r < 0 && r != -ENOSYS) {
        close(ret[0]);
        close(ret[1]);
        return r;
    }
    return 0;
}

int peer_pipe(struct peer *peer, enum peer_job job, size_t size, uint64_t bytes)
{
    int pair[2], left = job == PEER_FEED ? 0 : 1;
    int r = make_pipe(pair, size);
    if (r < 0)
        return r;
    r = peer_start(peer, job, pair[1 - left], bytes);
    if (r < 0)
        close(pair[left]);
    return r < 0 ? r : pair[left];
}

void peer_join(struct peer *peer)
{
    if (peer->running)
        pthread_join(peer->thread, NULL);
    peer->running = false;
}
