/* A hidden folder of the benchmark's own, which holds at most a source and a target. */
#ifndef CLI_BENCH_PLACE_H
#define CLI_BENCH_PLACE_H

#include <stdint.h>

struct bench_place {
    char *folder, *source, *target;  /* paths */
    char *source_spec, *target_spec; /* the same behind file: */
};

/* Makes a folder in an existing one; other users cannot look into it. */
int place_make(struct bench_place *place, const char *parent);

/* The source: bytes that don't compress, on the disk and in the cache. -ECANCELED when a signal came. */
int place_fill(const struct bench_place *place, uint64_t bytes);

/* With all that is in it. Harmless where none was made. */
void place_remove(struct bench_place *place);

#endif
