/* SPDX-License-Identifier: MIT */
/* Large files that are on their way, so that the progress of a tree counts bytes before a file is complete. */
#ifndef TREE_FLIGHT_H
#define TREE_FLIGHT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct tree_copy;
struct tree_dir;

struct tree_flight {
    const struct tree_dir *dir; /* both borrowed until flight_end */
    const char *name;
    uint64_t bytes;     /* of the file */
    atomic_ullong done; /* any thread may change it */
    struct tree_flight *previous, *next;
};

struct tree_flights {
    pthread_mutex_t lock; /* also of `bytes` of the counts, where flights add to it */
    struct tree_flight *first;
};

void flights_init(struct tree_flights *flights);
void flights_clear(struct tree_flights *flights);

void flight_begin(struct tree_copy *tree, struct tree_flight *flight, const struct tree_dir *dir, const char *name,
                  uint64_t bytes);
/* Ends it, and counts the bytes that were copied in the same moment. */
void flight_end(struct tree_copy *tree, struct tree_flight *flight, uint64_t copied);

/* Returns the bytes of all files that are complete, and those on their way. */
uint64_t flights_bytes(struct tree_copy *tree);
/* Tells the program of each file that is on its way. */
void flights_tell(struct tree_copy *tree);

#endif
