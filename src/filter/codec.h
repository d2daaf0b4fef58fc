/* SPDX-License-Identifier: MIT */
/* A codec is the table of functions through which a compression library becomes a filter (codec.c). There is one table
 * for each direction. */
#ifndef FILTER_CODEC_H
#define FILTER_CODEC_H

#include "node/filter.h"

/* An option "name=N". */
struct codec_option {
    const char *name;
    int usual; /* the default */
    void (*range)(int *ret_least, int *ret_most);
};
#define CODEC_OPTIONS 2
#define CODEC_VALUES  3 /* the values of these options, and then: */
#define CODEC_WORKERS 2 /* number of threads that compress blocks; each codec with `block` has this option */

struct codec {
    const char *name;                          /* "zstd" */
    const char *operation;                     /* "compress" or "decompress": the operation in an error */
    struct codec_option option[CODEC_OPTIONS]; /* unused ones have the name NULL */

    /* Makes a state for these values, one for each option. Returns 0 or -errno. NULL: this build does not have the
     * codec, and `without` is the reason. */
    int (*open)(void **ret, const int *value);
    const char *without;
    /* Starts another stream, even if the last one is not finished. */
    void (*start)(void *state);
    /* Same as `transform` of struct filter_ops; the output has room for at least one byte. On failure sets *ret_why to
     * the start of a sentence, which stays valid until the next call. */
    int (*transform)(void *state, struct filter_buffers *buffers, int mode, const char **ret_why);
    /* Returns the most bytes that a state allocates. */
    uint64_t (*memory)(const int *value);
    void (*close)(void *state);
    /* Returns the length of the blocks that several workers compress, each to a stream of its own. The concatenation of
     * such streams must be a valid stream as well; NULL: it is not. The stream of a block of n bytes has at most
     * CODEC_BOUND(n) bytes. */
    size_t (*block)(const int *value);
};

#define CODEC_BOUND(n) ((n) + (n) / 16 + 1024)

/* Parses the options of a codec, "name=N,...", into a value for each, CODEC_VALUES in all. NULL and "" leave the
 * defaults. Returns 0; -EINVAL: sets the sentence of the error, and its offset to the place in `options` that is
 * wrong. `error` may be NULL. */
int codec_read_options(const struct codec *codec, int *value, const char *options, struct leat_error *error);

/* Makes the filter of a codec without workers, which works on the thread that calls it. Returns 0 or a negative
 * errno. */
int codec_plain(leat_filter **ret, const struct codec *codec, const int *value);

/* Ends with NULL. The registry defines it: src/registry/codecs.c. */
extern const struct codec *const registry_codecs[];

extern const struct codec codec_zstd, codec_unzstd, codec_gzip, codec_gunzip;

#endif
