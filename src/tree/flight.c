/* SPDX-License-Identifier: MIT */
#include "tree/flight.h"
#include "tree/tree.h"

void flights_init(struct tree_flights *flights)
{
    pthread_mutex_init(&flights->lock, NULL);
    flights->first = NULL;
}

void flights_clear(struct tree_flights *flights)
{
    pthread_mutex_destroy(&flights->lock);
}

void flight_begin(struct tree_copy *tree, struct tree_flight *flight, const struct tree_dir *dir, const char *name,
                  uint64_t bytes)
{
    struct tree_flights *flights = &tree->flights;
    *flight = (struct tree_flight){.dir = dir, .name = name, .bytes = bytes};
    pthread_mutex_lock(&flights->lock);
    flight->next = flights->first;
    if (flight->next)
        flight->next->previous = flight;
    flights->first = flight;
    pthread_mutex_unlock(&flights->lock);
}

void flight_end(struct tree_copy *tree, struct tree_flight *flight, uint64_t copied)
{
    struct tree_flights *flights = &tree->flights;
    pthread_mutex_lock(&flights->lock);
    *(flight->previous ? &flight->previous->next : &flights->first) = flight->next;
    if (flight->next)
        flight->next->previous = flight->previous;
    atomic_fetch_add(&tree->counts.bytes, copied);
    pthread_mutex_unlock(&flights->lock);
}

uint64_t flights_bytes(struct tree_copy *tree)
{
    pthread_mutex_lock(&tree->flights.lock);
    uint64_t bytes = atomic_load(&tree->counts.bytes);
    for (const struct tree_flight *at = tree->flights.first; at; at = at->next)
        bytes += atomic_load(&at->done);
    pthread_mutex_unlock(&tree->flights.lock);
    return bytes;
}

void flights_tell(struct tree_copy *tree)
{
    if (!tree->options.large)
        return;
    pthread_mutex_lock(&tree->flights.lock);
    for (const struct tree_flight *at = tree->flights.first; at; at = at->next) {
        char *path = dir_path(at->dir, at->name);
        tree->options.large(tree->options.user, path ? path : at->name, atomic_load(&at->done), at->bytes);
        free(path);
    }
    pthread_mutex_unlock(&tree->flights.lock);
}
