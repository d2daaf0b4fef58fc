/* What a compressing library offers to the filter that codec.c makes of it: one table for each direction. */
#ifndef FILTER_CODEC_H
#define FILTER_CODEC_H

#include "node/filter.h"

/* An option "name=N". */
struct codec_option {
    const char *name;
    int usual; /* without it */
    void (*range)(int *ret_least, int *ret_most);
};
#define CODEC_OPTIONS 2
#define CODEC_VALUES  3 /* those, and behind them: */
#define CODEC_WORKERS 2 /* how many threads compress blocks; of each codec that has `block` */

struct codec {
    const char *name;                          /* "zstd" */
    const char *operation;                     /* "compress" or "decompress": what failed, in an error */
    struct codec_option option[CODEC_OPTIONS]; /* unused ones have no name */

    /* A state for these values, one for each option. NULL: it is not in this build, for the reason `without`. */
    int (*open)(void **ret, const int *value);
    const char *without;
    /* Another stream begins, wherever the one before was left. */
    void (*start)(void *state);
    /* As that of struct filter_ops, with room for a byte at least. A failure sets *ret_why, the beginning of a sentence
     * which lives until the next call. */
    int (*transform)(void *state, struct filter_buffers *buffers, int mode, const char **ret_why);
    /* The most bytes that it allocates. */
    uint64_t (*memory)(const int *value);
    void (*close)(void *state);
    /* How long the blocks should be that several workers make streams of: these, one behind the other, are a stream,
     * too. NULL: they are not. A stream is at most CODEC_BOUND of its block. */
    size_t (*block)(const int *value);
};

#define CODEC_BOUND(n) ((n) + (n) / 16 + 1024)

/* leat_filter_codec, with a sentence; the error's offset is where in `options` it is wrong. `error` may be NULL. */
int filter_codec(leat_filter **ret, const char *name, const char *options, struct leat_error *error);

/* Ends in NULL. Defined by the registry: src/registry/codecs.c. */
extern const struct codec *const registry_codecs[];

/* The filter of a codec with workers. Defined by the registry, which is above the stages that it is made of:
 * src/bridge/workers.c. */
int registry_codec_workers(leat_filter **ret, const struct codec *codec, const int *value);

extern const struct codec codec_zstd, codec_unzstd, codec_gzip, codec_gunzip;

#endif
