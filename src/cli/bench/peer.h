/* The other side of a pipe or socket: a thread that fills it or empties it. */
#ifndef CLI_BENCH_PEER_H
#define CLI_BENCH_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_job {
    PEER_NONE,
    PEER_FEED,  /* gives its own pages where the descriptor is a pipe, else writes */
    PEER_SUM,   /* reads and looks at every byte */
    PEER_THROW, /* passes it on to /dev/null, unseen; reads where that can't be done */
};

struct peer {
    enum peer_job job;
    int fd;
    bool listens;   /* at first: whoever connects first is the other side */
    uint64_t bytes; /* to feed; or what has been read */
    uint64_t sum;   /* of the bytes; it is kept so that the looking is not left out */
    bool running;
    double cpu_seconds;
    pthread_t thread;
};

/* The descriptor is taken, on failure too. With a listener, whoever connects to it first is the other side. */
int peer_start(struct peer *peer, enum peer_job job, int fd, uint64_t bytes);
int peer_start_listener(struct peer *peer, enum peer_job job, int listener, uint64_t bytes);

/* The same with a pipe of that size (0: as the system makes them): gives the end that is left. */
int peer_pipe(struct peer *peer, enum peer_job job, size_t size, uint64_t bytes);

/* Waits for its end, which comes when the other side has closed. Harmless where none was started. */
void peer_join(struct peer *peer);

/* A thread that takes no signals, on the processor of peers. 0 or a negative errno. */
int peer_thread(pthread_t *ret, void *(*run)(void *), void *user);

/* Where they run; -1: wherever they are put. */
void peer_pin(int cpu);

/* Looks at every byte. */
uint64_t sum_bytes(const void *bytes, size_t n);

/* 1 MiB that is not all alike, and never changes; NULL: no memory. */
const void *peer_bytes(void);
#define PEER_BYTES (1u << 20)

#endif
