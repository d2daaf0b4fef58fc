/* leat/filter.h: what may sit between a source and its sinks.
 *
 * A filter that only counts or paces lets the bytes stay in the kernel; one that observes (a digest) sees them,
 * unchanged. A filter serves one pipeline at a time.
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
#define LEAT_DIGEST_HEX_MAX 129

/* A digest of the bytes that pass, by one or several algorithms separated by commas: md5, sha1, sha224, sha256,
 * sha384, sha512, sha512-256, sha3-256 and other sizes, blake2b-512, blake2s-256, sm3, ripemd160 and whatever else
 * libcrypto offers by name; crc32c and xxh3 (xxh3-128 for the long one), which detect accidents and not attacks.
 * libcrypto is loaded by the first call that needs it. -ENOENT for an unknown name, -ELIBACC when libcrypto is
 * missing. */
LEAT_API int leat_filter_digest(leat_filter **ret, const char *algorithms, const struct leat_digest_options *options);

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

/* The bytes that passed so far, of a meter, rate or digest. Any thread. */
LEAT_API int leat_filter_bytes(const leat_filter *filter, uint64_t *ret);

/* One more reference; pipelines take the one handed to them. */
LEAT_API leat_filter *leat_filter_ref(leat_filter *filter);

/* Drops a reference. NULL is allowed. */
LEAT_API void leat_filter_free(leat_filter *filter);

#ifdef __cplusplus
}
#endif
#endif
