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
};

/* leat_filter_codec, with a sentence; the error's offset is where in `options` it is wrong. `error` may be NULL. */
int filter_codec(leat_filter **ret, const char *name, const char *options, struct leat_error *error);

/* Ends in NULL. Defined by the registry: src/registry/codecs.c. */
extern const struct codec *const registry_codecs[];

extern const struct codec codec_zstd, codec_unzstd, codec_gzip, codec_gunzip;

#endif
