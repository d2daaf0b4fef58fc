/* SPDX-License-Identifier: MIT */
/** @file leat/filter.h
 * Filters: what may stand between a source and its sinks.
 *
 * Kinds of filters
 * ----------------
 *   - A filter that only counts or paces lets the bytes stay in the kernel.
 *   - A filter that observes, such as a digest, sees the bytes and does not change them.
 *   - A filter that transforms, such as a codec or a child process, makes other bytes of them. The filters behind it
 *     work on those bytes.
 *
 *   - A buffer gives the bytes that it takes. It cuts the pipeline in two, so that its source and its sinks go on
 *     independently of each other.
 *
 * A filter that wants no more input ends the stream at its place. The source is then not read to its end.
 *
 * Using a filter
 * --------------
 * A filter serves one pipeline or pipe at a time. If it serves several, one after the other, its count of bytes and its
 * digest go on. Everything else begins anew with each of them.
 *
 * A function that makes a filter stores it in *ret_filter. The caller owns the reference, and frees it with
 * leat_filter_free or hands it to a pipeline or a pipe, which takes it.
 *
 * Blocking: no function waits. The first digest may load libcrypto from a file.
 */
#ifndef LEAT_FILTER_H
#define LEAT_FILTER_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A filter. */
typedef struct leat_filter leat_filter;

/** What computes a digest. */
enum leat_digest_provider {
    LEAT_DIGEST_AUTO = 0,   /**< User space: libcrypto, or xxhash and the crc32c instruction of the CPU. */
    LEAT_DIGEST_USER = 1,   /**< The same as LEAT_DIGEST_AUTO, said explicitly. */
    LEAT_DIGEST_KERNEL = 2, /**< AF_ALG, if the kernel has it and it passes a self-test; otherwise user space. The
                               report says which of the two, and why. */
};

/** Options of a digest. */
struct leat_digest_options {
    size_t size;      /**< sizeof(struct leat_digest_options); LEAT_INIT sets it. */
    int32_t provider; /**< An enum leat_digest_provider. */
    int32_t threads;  /**< 1: each algorithm has a thread. -1: none has. 0: each has one if that is faster. */
};

enum {
    LEAT_DIGEST_HEX_MAX = 129 /**< The length of the longest digest in hexadecimal, with its NUL. */
};

/**
 * Makes a filter that takes a digest of the bytes that pass, by one or several algorithms.
 *
 * The algorithms of libcrypto are md5, sha1, sha224, sha256, sha384, sha512, sha512-256, sha3-256 and other sizes,
 * blake2b-512, blake2s-256, sm3, ripemd160, and any other algorithm that libcrypto offers by name. libcrypto is loaded
 * by the first call that needs it. crc32c, crc32, crc64nvme and xxh3 (xxh3-128 for the long one) detect accidents, not
 * attacks.
 *
 * @param algorithms  The names, separated by commas.
 * @param options     The options; NULL: the defaults.
 * @param ret_error   NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                    what is allowed; with -ENOENT, which names are near. Its `offset` is where in `algorithms` the
 *                    name begins.
 *
 * @return 0; -ENOENT: a name is not known; -ELIBACC: libcrypto is missing (-ENOSYS on a system without that code);
 *         -EINVAL; -ENOMEM.
 */
LEAT_API int leat_filter_digest(leat_filter **ret_filter, const char *algorithms,
                                const struct leat_digest_options *options, struct leat_error *ret_error);

/**
 * Gives the names of the usual algorithms, for lists.
 *
 * A build may lack some of them, and libcrypto may offer more.
 *
 * @param index  Which name, counted from 0.
 *
 * @return The name, a static string; NULL behind the last one.
 *
 * Threads: any.
 */
LEAT_API const char *leat_digest_algorithm(size_t index);

/**
 * Gives the value of a digest in lower-case hexadecimal, with a NUL.
 *
 * While the pipeline runs, it is the value of some prefix of the stream. After the end, it is the value of the whole
 * stream.
 *
 * @param algorithm  The name of the algorithm.
 * @param hex        Where the value goes; the caller's.
 * @param capacity   The room there in bytes; LEAT_DIGEST_HEX_MAX is enough for every algorithm.
 *
 * @return 0; -ENOENT: the filter does not have this algorithm; -ENOSPC: `capacity` is too small; -EINVAL: the filter is
 *         no digest; or the failure of the algorithm.
 *
 * Threads: any, also while the pipeline runs.
 */
LEAT_API int leat_filter_digest_hex(leat_filter *filter, const char *algorithm, char *hex, size_t capacity);

/**
 * Gives the value of a digest as bytes. Otherwise as leat_filter_digest_hex.
 *
 * @param algorithm  The name of the algorithm.
 * @param bytes      Where the value goes; the caller's.
 * @param capacity   The room there in bytes.
 * @param ret_n      The length of the value in bytes.
 *
 * @return As leat_filter_digest_hex.
 *
 * Threads: any, also while the pipeline runs.
 */
LEAT_API int leat_filter_digest_bytes(leat_filter *filter, const char *algorithm, void *bytes, size_t capacity,
                                      size_t *ret_n);

/**
 * Starts the digests again from the empty input.
 *
 * @return 0; -EBUSY: a pipeline runs through the filter; -EINVAL: the filter is no digest; or why an algorithm can't
 *         start.
 */
LEAT_API int leat_filter_digest_reset(leat_filter *filter);

/**
 * Makes a filter that limits how many bytes pass in a second. The bytes may stay in the kernel.
 *
 * @param bytes_per_second  The limit; 0: no limit.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_filter_rate(leat_filter **ret_filter, uint64_t bytes_per_second);

/**
 * Changes the limit of a filter that leat_filter_rate made.
 *
 * @param bytes_per_second  The new limit; 0: no limit.
 *
 * @return 0; -EINVAL: the filter was not made by leat_filter_rate.
 *
 * Threads: any, also while the pipeline runs.
 */
LEAT_API int leat_filter_rate_set(leat_filter *filter, uint64_t bytes_per_second);

/**
 * Makes a filter that counts the bytes that pass.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_filter_meter(leat_filter **ret_filter);

/**
 * Makes a filter that drops the first bytes and lets the rest pass.
 *
 * @param bytes  How many bytes to drop. If the input is shorter, no byte passes. This is no error.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_filter_skip(leat_filter **ret_filter, uint64_t bytes);

/**
 * Makes a filter that lets the first bytes pass and ends the stream behind them, even if the source has no end. The
 * bytes may stay in the kernel.
 *
 * @param bytes  How many bytes pass.
 *
 * @return 0 or -ENOMEM.
 */
LEAT_API int leat_filter_head(leat_filter **ret_filter, uint64_t bytes);

/**
 * Makes a codec: a filter that compresses or decompresses.
 *
 * The codecs and their options, with the default in parentheses:
 *   - zstd: level=N, also negative (3); checksum=0 leaves out the checksum of the content (1); workers=N (0).
 *   - unzstd: windowlog=N (27). A frame that needs a window of more than 2^N bytes fails with -E2BIG.
 *   - gzip: level=N, from 1 to 9 (6); workers=N (0). The header has no name and no time, so the same bytes always give
 *     the same file.
 *   - gunzip: no options.
 *
 * Workers: with workers=N, up to 64, N threads compress blocks of 1 to 8 MiB (the size is the window of the zstd
 * level). The threads run from the start of a pipeline to its end. Each block becomes a frame or member of its own; a
 * flush also ends a block. The frames or members follow one another in order, and are the same with any number of
 * workers. The plan shows the memory that the blocks take. It comes on top of the memory limit. A cancel waits for the
 * blocks that are being compressed.
 *
 * Decoders: they take several frames or members, one after the other. unzstd drops skippable frames, gunzip drops zeros
 * behind the last member. The filter fails with -EBADMSG if the input ends in the middle of a frame or member, is
 * empty, is damaged, or has anything else behind the last frame or member. The bytes before the error have passed by
 * then.
 *
 * @param name     The name of the codec.
 * @param options  "name=N", separated by commas, as in the text form of a pipeline; NULL: the defaults.
 *
 * @return 0; -ENOENT: this build has no such codec; -EINVAL: the codec has no such option, or the value is out of
 *         range; -ENOMEM.
 */
LEAT_API int leat_filter_codec(leat_filter **ret_filter, const char *name, const char *options);

/**
 * Makes a filter of a child process. The bytes go to the standard input of the child, and the filter gives what the
 * child writes to its standard output. Both are real pipes.
 *
 * The pipeline succeeds only if the child exits with 0. The child need not read all of its input. For everything else,
 * see exec:COMMAND in leat/endpoint.h.
 *
 * @param command  The command, for /bin/sh -c.
 *
 * @return 0; -EINVAL: the command is empty; -ENOMEM.
 */
LEAT_API int leat_filter_exec(leat_filter **ret_filter, const char *command);

/** Options of a buffer. */
struct leat_buffer_options {
    size_t size;    /**< sizeof(struct leat_buffer_options); LEAT_INIT sets it. */
    uint64_t bytes; /**< How many bytes the buffer holds at most; at least 1. */
    /**
     * In percent of `bytes`, 0 to 100: the sinks get nothing before the buffer is so full, or its input has ended. If
     * the buffer runs empty, they wait for this level again. 0: they get each byte at once.
     */
    int32_t start;
    /**
     * In percent of `bytes`, 1 to 100: once the buffer is full, nothing is read before its level has fallen to this. 0
     * and 100: it is read as soon as there is room.
     */
    int32_t stop;
    /**
     * A folder: what does not fit into `memory` goes to a file there, which has no name and passes by the page cache
     * where that works (O_DIRECT). Its blocks are freed as the buffer drains, if the file system can punch holes. If
     * the disk is full, or does not take the bytes, the buffer grows no further and the run goes on; the report says
     * why. NULL: all bytes are in memory.
     */
    const char *file;
    uint64_t memory; /**< With `file`: how many bytes are in memory. 0: 64 MiB. */
    int32_t lock;    /**< Not 0: all memory is taken and locked (mlock) before the first byte moves. */
};

/**
 * Makes a filter that reads ahead: it takes bytes as fast as its input gives them until it is full, whatever the sinks
 * do.
 *
 * The part of the pipeline behind the buffer runs on a thread of its own, unless one of its sinks has no descriptor
 * (memory, functions, objects), or the pipeline runs on a shared engine. The memory is taken as the buffer fills, and
 * given back as it drains. It comes on top of the memory limit of the pipeline, and the plan shows it. A buffer belongs
 * into a pipeline; a pipe inside a process refuses it with -EOPNOTSUPP.
 *
 * If the pipeline fails or is cancelled, the bytes in the buffer do not reach the sinks. The report says how many they
 * are.
 *
 * @param options    The options; copied.
 * @param ret_error  NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                   what is allowed.
 *
 * @return 0; -EINVAL: `bytes` is 0 or beyond any file, a percentage is out of range, `file` is empty, or `memory` is
 * given without it; -E2BIG: `options` asks for something that this library does not know; -ENOMEM.
 */
LEAT_API int leat_filter_buffer(leat_filter **ret_filter, const struct leat_buffer_options *options,
                                struct leat_error *ret_error);

/**
 * Reads the options of a buffer from a text, as in the text form of a pipeline:
 * SIZE[,start=PERCENT,stop=PERCENT,lock,memory=SIZE,file=FOLDER]. The name of the folder is the rest of the text, with
 * its commas.
 *
 * @param ret_options  The options; its size must be set. `file` points into the text.
 * @param text         Borrowed for the call.
 * @param ret_error    On failure `text` is a sentence, and `offset` is the byte of the text where the mistake begins.
 *                     May be NULL.
 *
 * @return 0; -EINVAL; -ERANGE: the size is beyond 64 bits.
 *
 * Threads: any.
 */
LEAT_API int leat_filter_buffer_parse(struct leat_buffer_options *ret_options, const char *text,
                                      struct leat_error *ret_error);

/** What a transform is asked for. */
enum leat_filter_mode {
    LEAT_FILTER_MORE = 0,   /**< Take the input. The transform may hold back any of it. */
    LEAT_FILTER_FLUSH = 1,  /**< Take the input, and give all bytes that were held back. */
    LEAT_FILTER_FINISH = 2, /**< The input ends with these bytes: give the rest. */
};

/** What a transform answers, besides a negative errno. */
enum leat_filter_answer {
    LEAT_FILTER_DONE = 0,  /**< All input is taken, and what the mode asks for is done. */
    LEAT_FILTER_FULL = 1,  /**< The output is full. The transform is called again with more room, with the input that is
                              left, and in the same mode or in one with a larger number. */
    LEAT_FILTER_ENDED = 2, /**< The transform wants no more input, and has given its last byte. */
};

/**
 * The functions of a filter of your own. It has `observe` or `transform`, not both.
 *
 * The functions are called by one thread at a time, but not always by the same thread. They must not call the pipeline
 * or pipe that they serve. Any answer that is not named here fails the pipeline or pipe with -EPROTO.
 */
struct leat_filter_ops {
    size_t size;      /**< sizeof(struct leat_filter_ops); LEAT_INIT sets it. */
    const char *name; /**< The name in reports; borrowed as long as the filter lives. NULL: "custom". */
    /**
     * A pipeline or pipe begins. May be NULL.
     *
     * @return 0, or a negative errno, which fails the pipeline or pipe.
     */
    int (*start)(void *user);
    /**
     * Sees all bytes, in order and unchanged.
     *
     * @return 0, or a negative errno, which fails the pipeline or pipe.
     */
    int (*observe)(void *user, const void *bytes, size_t n);
    /**
     * Takes bytes from `in` and gives bytes to `out`.
     *
     * *in_n is the number of bytes there are, *out_n the room there is. On return they are the bytes that were taken
     * and given. Either number may be 1, so a unit of several bytes may come and go in parts.
     *
     * @return An enum leat_filter_answer, or a negative errno, which fails the pipeline or pipe. Two answers fail it
     *         with -EPROTO: LEAT_FILTER_FULL when there was room, and no byte was taken or given; LEAT_FILTER_DONE when
     *         input is left.
     */
    int (*transform)(void *user, const void *in, size_t *in_n, void *out, size_t *out_n, enum leat_filter_mode mode);
    /** The filter is freed. This is the last call. May be NULL. */
    void (*free)(void *user);
    /**
     * Not 0: `observe` runs on a thread of the filter, so what it computes does not hold up the bytes. Up to 64 chunks
     * wait for it; they count towards the memory limit. If it fails, the pipeline or pipe fails with the next chunk or
     * at the end, and bytes behind the failure may have passed. If no thread can be started, `observe` runs as without
     * this option. Only with `observe`.
     */
    int32_t thread;
};

/**
 * Makes a filter of the caller's functions.
 *
 * @param ops        The functions; copied.
 * @param user       The first argument of each function; borrowed until `free` is called. If leat_filter_custom fails,
 *                   `free` is not called.
 * @param ret_error  NULL, or where the call says in a sentence why it failed; with -EINVAL, which member is wrong and
 *                   what is allowed.
 *
 * @return 0; -EINVAL: `ops` has neither `observe` nor `transform`, has both, or has `thread` without
 *         `observe`; -ENOMEM.
 */
LEAT_API int leat_filter_custom(leat_filter **ret_filter, const struct leat_filter_ops *ops, void *user,
                                struct leat_error *ret_error);

/**
 * Gives the number of bytes that passed so far. For a filter that changes the bytes, these are the bytes that went in.
 *
 * If the filter serves several pipelines, one after the other, the count goes on.
 *
 * @param ret_bytes  The number.
 *
 * @return 0.
 *
 * Threads: any.
 */
LEAT_API int leat_filter_bytes(const leat_filter *filter, uint64_t *ret_bytes);

/**
 * Adds a reference. A pipeline takes the reference that is handed to it.
 *
 * @return The filter.
 */
LEAT_API leat_filter *leat_filter_ref(leat_filter *filter);

/** Drops a reference. NULL is allowed. */
LEAT_API void leat_filter_free(leat_filter *filter);

#ifdef __cplusplus
}
#endif
#endif
