/* leat/filter.h: what may sit between a source and its sinks.
 *
 * A filter that only counts or paces lets the bytes stay in the kernel; one that observes (a digest) sees them,
 * unchanged; one that transforms (a codec, a child process) makes other bytes of them, and what stands behind it works
 * on those. One that wants no more input ends the stream there, and the source is not read to its end. A filter serves
 * one pipeline at a time.
 */
#ifndef LEAT_FILTER_H
#define LEAT_FILTER_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_filter leat_filter;

/* Who computes a digest. */
enum leat_digest_provider {
    LEAT_DIGEST_AUTO = 0,   /* userspace: libcrypto, or xxhash and the CPU's crc32c instruction */
    LEAT_DIGEST_USER = 1,   /* the same, said aloud */
    LEAT_DIGEST_KERNEL = 2, /* AF_ALG where the kernel has it and passes a self-test, else userspace; the report
                               says which, and why */
};

struct leat_digest_options {
    size_t size;
    int32_t provider; /* enum leat_digest_provider */
    int32_t threads;  /* 0: a thread for each algorithm where that pays, 1: always, -1: never */
};

/* The longest digest in hex, with its NUL. */
enum {
    LEAT_DIGEST_HEX_MAX = 129
};

/* A digest of the bytes that pass, by one or several algorithms separated by commas: md5, sha1, sha224, sha256,
 * sha384, sha512, sha512-256, sha3-256 and other sizes, blake2b-512, blake2s-256, sm3, ripemd160 and whatever else
 * libcrypto offers by name; crc32c, crc32, crc64nvme and xxh3 (xxh3-128 for the long one), which detect accidents and
 * not attacks. libcrypto is loaded by the first call that needs it. -ENOENT for an unknown name, -ELIBACC (where a
 * system has no such code: -ENOSYS) when libcrypto is missing. */
LEAT_API int leat_filter_digest(leat_filter **ret, const char *algorithms, const struct leat_digest_options *options);

/* The names of the usual algorithms, for lists: that of `index`, counted from 0; NULL behind the last one. A build may
 * lack some, and libcrypto may offer more. Static. Any thread. */
LEAT_API const char *leat_digest_algorithm(size_t index);

/* The value so far, in lower-case hex with a NUL. May be called while the pipeline runs, from any thread, and then
 * describes some prefix of the stream; after the end, all of it. -ENOENT: not one of its algorithms; -ENOSPC:
 * `capacity` is too small. */
LEAT_API int leat_filter_digest_hex(leat_filter *filter, const char *algorithm, char *ret, size_t capacity);

/* The same value as raw bytes; *ret_n is its length. */
LEAT_API int leat_filter_digest_bytes(leat_filter *filter, const char *algorithm, void *ret, size_t capacity,
                                      size_t *ret_n);

/* Starts again from the empty input. -EBUSY while a pipeline runs through it. */
LEAT_API int leat_filter_digest_reset(leat_filter *filter);

/* Lets at most this many bytes per second pass (0: no limit). Bytes need not leave the kernel. */
LEAT_API int leat_filter_rate(leat_filter **ret, uint64_t bytes_per_second);

/* Changes the rate, also while the pipeline runs. Any thread. */
LEAT_API int leat_filter_rate_set(leat_filter *filter, uint64_t bytes_per_second);

/* Counts the bytes that pass. */
LEAT_API int leat_filter_meter(leat_filter **ret);

/* Passes over the first `bytes`, lets the rest pass. Of an input that is shorter nothing is left, which is no error. */
LEAT_API int leat_filter_skip(leat_filter **ret, uint64_t bytes);

/* Lets `bytes` pass and ends the stream there, so that also an endless source ends. Bytes need not leave the kernel. */
LEAT_API int leat_filter_head(leat_filter **ret, uint64_t bytes);

/* A codec by name. `options` (NULL: none) as in the text form of a pipeline, "name=N" separated by commas:
 *   zstd     level=N, negative ones too (3); checksum=0 leaves out the checksum of the content (1); workers=N (0)
 *   unzstd   windowlog=N: a frame that needs a window of more than 2^N bytes fails with -E2BIG (27)
 *   gzip     level=N, from 1 to 9 (6); workers=N (0). The header has no name and no time, so the same bytes give the
 *            same file
 *   gunzip   none
 * With workers=N, up to 64, so many threads compress blocks of 1 to 8 MiB (the window of zstd's level), from the begin
 * of a pipeline to its end. Each block, also one that a flush ends, becomes a frame or member of its own; they follow
 * in order and are the same with any number of workers. The memory that the blocks take is in the plan, beside the
 * limit. A cancel waits for the blocks that are being compressed.
 * Decoders take several frames or members one after the other, unzstd passes over skippable frames, gunzip over zeros
 * behind the last member. Input that ends in the middle of one, is empty, is damaged or is followed by anything else
 * fails with -EBADMSG; what came before it has passed then. -ENOENT: no such codec in this build; -EINVAL: an option
 * that it does not have, or a value out of range. */
LEAT_API int leat_filter_codec(leat_filter **ret, const char *name, const char *options);

/* A child process that gets the bytes on its standard input and gives those on its standard output, over real pipes:
 * `command` is for /bin/sh -c. The pipeline succeeds only if it exits with 0; it need not read everything. For all else
 * see exec:COMMAND in leat/endpoint.h. -EINVAL: an empty command. */
LEAT_API int leat_filter_exec(leat_filter **ret, const char *command);

/* What a transform is asked for. */
enum leat_filter_mode {
    LEAT_FILTER_MORE = 0,   /* take the input; hold back what you like */
    LEAT_FILTER_FLUSH = 1,  /* and give all that was held back */
    LEAT_FILTER_FINISH = 2, /* the input ends with these bytes: give the rest */
};

/* What a transform answers, beside negative errnos. */
enum leat_filter_answer {
    LEAT_FILTER_DONE = 0, /* the input is all taken, and what the mode asks for is done */
    LEAT_FILTER_FULL =
        1, /* the output is full: call again with more room and the input that is left, in the same mode */
    LEAT_FILTER_ENDED = 2, /* it wants no more input, and has put out its last byte */
};

/* A filter of your own. It has `observe` or `transform`, not both. The hooks are called by one thread at a time, though
 * not always by the same one, and must not call the pipeline or pipe that they serve. */
struct leat_filter_ops {
    size_t size;
    const char *name; /* for reports; borrowed for as long as the filter lives */
    /* Optional: a pipeline or a pipe begins. 0 or a negative errno, which fails it. */
    int (*start)(void *user);
    /* Sees all bytes, in order and unchanged. 0 or a negative errno, which fails the pipeline or pipe. */
    int (*observe)(void *user, const void *bytes, size_t n);
    /* Takes from `in`, gives into `out`. *in_n and *out_n say how much there is, and on return how much was used.
     * Either may be a single byte, so a unit of several bytes may come and go in parts. Gives an enum
     * leat_filter_answer, or a negative errno, which fails the pipeline or pipe. One that neither takes nor gives a
     * byte and says FULL though there was room fails it with -EPROTO, as does one that says DONE and has left input.
     * So does any answer of a hook that is none of those named here. */
    int (*transform)(void *user, const void *in, size_t *in_n, void *out, size_t *out_n, enum leat_filter_mode mode);
    /* Optional: the filter is freed; the last call. */
    void (*free)(void *user);
};

/* A filter of these functions, which are copied. `user` is handed to each of them, and is the caller's until `free`, or
 * if this fails. -EINVAL: neither or both of `observe` and `transform` are there. */
LEAT_API int leat_filter_custom(leat_filter **ret, const struct leat_filter_ops *ops, void *user);

/* The bytes that passed so far: those that went in, of a filter that changes them. A filter that serves one pipeline
 * after the other goes on counting, as a digest goes on; everything else begins anew with each. Any thread. */
LEAT_API int leat_filter_bytes(const leat_filter *filter, uint64_t *ret);

/* One more reference; pipelines take the one handed to them. */
LEAT_API leat_filter *leat_filter_ref(leat_filter *filter);

/* Drops a reference. NULL is allowed. */
LEAT_API void leat_filter_free(leat_filter *filter);

#ifdef __cplusplus
}
#endif
#endif
