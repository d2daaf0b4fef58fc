/* SPDX-License-Identifier: MIT */
/* A peer is a thread that fills or empties the other end of a pipe or socket. */
#ifndef CLI_BENCH_PEER_H
#define CLI_BENCH_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_job {
    PEER_NONE,
    PEER_FEED,  /* gives its own pages if the descriptor is a pipe, else writes */
    PEER_SUM,   /* reads every byte and adds them up */
    PEER_THROW, /* moves the bytes to /dev/null without reading them; reads them if that is impossible */
};

struct peer {
    enum peer_job job;
    int fd;
    bool listens;   /* fd is a listener; the first connection becomes the other end */
    uint64_t bytes; /* bytes to write, or bytes that were read */
    uint64_t sum;   /* of all bytes; kept so that the compiler does not drop the reading */
    bool running;
    double cpu_seconds;
    pthread_t thread;
};

/* Starts a peer. Takes the descriptor, on failure too. With a listener, the first connection becomes the other end. */
int peer_start(struct peer *peer, enum peer_job job, int fd, uint64_t bytes);
int peer_start_listener(struct peer *peer, enum peer_job job, int listener, uint64_t bytes);

/* Makes a pipe of this size (0: the system's default) and starts a peer on one end. Returns the other end, which the
 * caller owns, or a negative errno. */
int peer_pipe(struct peer *peer, enum peer_job job, size_t size, uint64_t bytes);

/* Waits until the peer ends, which happens after the caller's end is closed. Does nothing if none was started. */
void peer_join(struct peer *peer);

/* Starts a thread that blocks all signals and runs on the processor of peers. Returns 0 or a negative errno. */
int peer_thread(pthread_t *ret, void *(*run)(void *), void *user);

/* Sets the processor of peers; -1: they are not pinned. */
void peer_pin(int cpu);

/* Adds up all bytes. */
uint64_t sum_bytes(const void *bytes, size_t n);

/* Returns 1 MiB of varied bytes that never change; NULL: no memory. */
const void *peer_bytes(void);
#define PEER_BYTES (1u << 20)

#endif
