/* SPDX-License-Identifier: MIT */
/* A hidden folder that the benchmark makes. It holds at most a source file and a target file. */
#ifndef CLI_BENCH_PLACE_H
#define CLI_BENCH_PLACE_H

#include <stdint.h>

struct bench_place {
    char *folder, *source, *target;  /* paths */
    char *source_spec, *target_spec; /* the paths with "file:" in front */
};

/* Makes the folder in an existing one. Only its owner can open it. */
int place_make(struct bench_place *place, const char *parent);

/* Writes the source: bytes that don't compress, on the disk and in the page cache. -ECANCELED: a signal came. */
int place_fill(const struct bench_place *place, uint64_t bytes);

/* Removes the folder with its files. Does nothing if there is none. */
void place_remove(struct bench_place *place);

#endif
