/* SPDX-License-Identifier: MIT */
/** @file leat/base.h
 * What every other header of leat stands on.
 *
 * These rules hold for the whole interface, unless a declaration says otherwise.
 *
 * Results
 * -------
 *   - A function returns 0 or a negative errno value.
 *   - On failure, a parameter called ret_* is untouched, except `ret_error`.
 *   - A parameter or member called `ret_error` may be NULL. The call resets the struct at its start, so afterwards the
 *     struct is about this call only: `code` is 0 on success, and otherwise the result of the call.
 *
 * Structs and enums
 * -----------------
 *   - Options may be NULL, which means the defaults.
 *   - A struct that the caller allocates begins with `size_t size`. The caller sets it to sizeof(struct ...);
 *     LEAT_INIT(struct ...) does this. If `size` is smaller than the size of that member, for instance 0, the call
 *     returns -EINVAL.
 *   - A newer program may run with an older library. If a struct is larger than the struct that the library knows, and
 *     all bytes behind the known ones are zero, the library takes it. If they are not zero, the call returns -E2BIG.
 *   - A value that its enum does not have is -EINVAL.
 *
 * Descriptors and signals
 * -----------------------
 *   - A descriptor is *borrowed* (leat uses it and never closes it), *taken* (leat closes it, on failure too) or
 *     *given* (leat made it, and the caller closes it).
 *   - leat never changes the flags of a descriptor that it did not create. Every descriptor that leat makes is
 *     close-on-exec.
 *   - leat does not print, does not install signal handlers, and does not raise SIGPIPE.
 *
 * Units
 * -----
 *   - Sizes and offsets are in bytes. Times are in milliseconds if the name ends in _ms.
 *
 * Processes and threads
 * ---------------------
 *   - After fork(2), the child may only free the objects that it inherited, and must not run them. In the child,
 *     freeing an object does not wait. It closes the child's descriptors of a pipe, a connection or a channel, and does
 *     nothing to what the parent runs. The memory of the object may stay allocated until the child ends. Objects that
 *     the child makes are its own.
 *   - The threads of leat take no signal. All signals are blocked in them, so the signals of the program reach the
 *     threads of the program.
 *   - A callback may run on a thread of leat. What it starts inherits the signal mask. So a callback that starts a
 *     program sets the mask that the program shall have (posix_spawnattr_setsigmask(3)).
 *   - A callback runs on the thread that makes a call of this library, or on a thread of leat; its declaration says
 *     which. leat_thread_hooks_set tells the program of the beginning and the end of each thread of leat.
 *
 * Blocking: the functions of this header do not block.
 *
 * Threads: any thread may call the functions of this header.
 */
#ifndef LEAT_BASE_H
#define LEAT_BASE_H

#include <stddef.h>
#include <stdint.h>

/** A zeroed struct whose size member is set: struct leat_error e = LEAT_INIT(struct leat_error); */
#ifdef __cplusplus
template <class T> inline T leat_init()
{
    T t = T();
    t.size = sizeof(T);
    return t;
}
#define LEAT_INIT(...) leat_init<__VA_ARGS__>()
extern "C" {
#else
#define LEAT_INIT(...) ((__VA_ARGS__){.size = sizeof(__VA_ARGS__)})
#endif

/** Marks the functions that the library exports. A program may define it otherwise, before it includes a header. */
#ifndef LEAT_API
#if defined(__GNUC__)
#define LEAT_API __attribute__((visibility("default")))
#else
#define LEAT_API
#endif
#endif

/** The side of a transfer on which something happened. */
enum leat_side {
    LEAT_SIDE_NONE = 0,   /**< The pipeline itself: its options, its memory, a cancel. */
    LEAT_SIDE_SOURCE = 1, /**< Where the bytes come from. */
    LEAT_SIDE_FILTER = 2, /**< What stands between source and sink. */
    LEAT_SIDE_SINK = 3,   /**< Where the bytes go. */
};

/** What the caller can do about a failure, if that is known. A new version of the library may have more values. */
enum leat_advice {
    LEAT_ADVICE_NONE = 0,            /**< Nothing is known. */
    LEAT_ADVICE_IN_PLACE = 1,        /**< Write through the existing file: LEAT_WRITE_IN_PLACE. */
    LEAT_ADVICE_DROP_ATTRIBUTES = 2, /**< Write in place, or drop the attributes that a new file can't have. */
    LEAT_ADVICE_REPLACE = 3,         /**< Allow that an existing file is replaced. */
    LEAT_ADVICE_FORCE = 4,           /**< Allow that a file without write permission is replaced. */
    LEAT_ADVICE_LENGTH = 5,          /**< Say how many bytes: leat_pipeline_options.length. */
    LEAT_ADVICE_CONNECT_TIMEOUT = 6, /**< Allow more time: leat_endpoint_options.connect_timeout_ms. */
    LEAT_ADVICE_IDLE_TIMEOUT = 7,    /**< Allow more time: leat_endpoint_options.idle_timeout_ms. */
    LEAT_ADVICE_USER_DIGEST = 8,     /**< Choose another provider of digests: LEAT_DIGEST_USER. */
    LEAT_ADVICE_SOURCE_STABLE = 9,   /**< If no program changes the source meanwhile, say so: LEAT_SOURCE_STABLE. */
    LEAT_ADVICE_WINDOW = 10,         /**< Allow unzstd a larger window: its option windowlog. */
    LEAT_ADVICE_MEMORY = 11,         /**< Raise the memory limit. */
    LEAT_ADVICE_CACERT = 12,         /**< Name the authority that signed: leat_endpoint_options.cacert. */
};

/**
 * A failure: the first true one.
 *
 * The struct owns all its text and has no pointers, so it may be copied by assignment, and it outlives the objects and
 * the strings of the call that filled it. Each text ends in a NUL. A name that has no room is shortened in the middle:
 * its first and its last bytes stay, with "..." between them. No character of UTF-8 is cut in two.
 */
struct leat_error {
    size_t size;        /**< sizeof(struct leat_error); LEAT_INIT sets it. */
    int32_t code;       /**< A negative errno; 0: nothing failed. */
    int32_t side;       /**< An enum leat_side. */
    uint32_t index;     /**< Which sink or filter, counted from 0. */
    int32_t advice;     /**< An enum leat_advice: what to do next, if that is known. */
    char node[256];     /**< The endpoint as it was named, of any bytes; "": there is none. */
    char operation[32]; /**< The system call or step that failed: "write", "splice", "verify". */
    uint64_t offset;    /**< Where in the stream, in bytes. */
    uint64_t taken;     /**< Bytes that left the source. */
    uint64_t delivered; /**< Bytes that this sink has accepted. If the source failed: the least of all sinks. */
    uint64_t held;      /**< Bytes that were taken and not delivered at the time of the failure. */
    char text[200];     /**< One sentence for people, without a newline or any other control character. */
};

/**
 * @name Version
 * The version of these headers. LEAT_VERSION_NUMBER grows with each version and can be compared in an #if: 0.1.0 is
 * 100, 1.2.3 is 10203.
 * @{
 */
#define LEAT_VERSION_MAJOR  0
#define LEAT_VERSION_MINOR  1
#define LEAT_VERSION_PATCH  0
#define LEAT_VERSION_NUMBER (LEAT_VERSION_MAJOR * 10000 + LEAT_VERSION_MINOR * 100 + LEAT_VERSION_PATCH)
/** @} */

/**
 * Gives the version of the library that the program runs with, such as "0.1.0".
 *
 * @return A static string, never NULL.
 */
LEAT_API const char *leat_version(void);

/**
 * Checks that the library serves a program that was compiled with these headers. LEAT_CHECK_VERSION() calls it with
 * their version.
 *
 * A library serves headers of its own major version that are not newer than itself; before 1.0.0, of its own minor
 * version.
 *
 * @param headers  The LEAT_VERSION_NUMBER that the program was compiled with.
 *
 * @return 0; -ENOSYS: the library is older than the headers; -EPROTO: its interface is another one, although it is not
 *         older; -EINVAL: there is no such version.
 */
LEAT_API int leat_version_check(int32_t headers);

/** Is the library that the program runs with fit for the headers that it was compiled with? 0: yes; else a negative
 * errno (leat_version_check). */
#define LEAT_CHECK_VERSION() leat_version_check(LEAT_VERSION_NUMBER)

/**
 * Frees a text that leat returned through a parameter of type char **.
 *
 * A program in C may call free(3) instead. A binding for another language, which has another allocator, calls this
 * function.
 *
 * @param text  The text; NULL is allowed.
 */
LEAT_API void leat_free(void *text);

/**
 * Gives the name of an errno value, such as "ENOSPC".
 *
 * @param code  The value, positive or negative.
 *
 * @return A static string; "E?" if the value has no name.
 */
LEAT_API const char *leat_errno_name(int code);

/**
 * Reads a size such as "4096", "64K", "10M", "1.5GiB" or "2MB".
 *
 * K, M, G and T are powers of 1024, and so are KiB, MiB, GiB and TiB. KB, MB, GB and TB are powers of 1000.
 *
 * @param ret_bytes  The size in bytes.
 *
 * @return 0; -EINVAL: the text is no size; -ERANGE: the size does not fit.
 */
LEAT_API int leat_size_parse(const char *text, uint64_t *ret_bytes);

/**
 * Writes a size for people: "512", "64K", "1.50M" or "300G", of at most three digits.
 *
 * A size that is no whole number of its unit is rounded and has a point, if there is room for a digit behind it. The
 * point does not depend on the locale. leat_size_parse reads what the call writes of sizes below 999 T.
 *
 * @param buffer   Where the text goes, with a NUL; the caller's. May be NULL if `size` is 0. LEAT_SIZE_TEXT_MAX bytes
 *                 are always enough.
 * @param size     The room there in bytes. The call stores at most this many, with the NUL.
 * @param decimal  Not 0: the units are powers of 1000, and are written as KB, MB, GB and so on.
 *
 * @return The length of the whole text without its NUL, as snprintf(3) does.
 */
LEAT_API size_t leat_size_format(char *buffer, size_t size, uint64_t bytes, int32_t decimal);

/** What texts of leat_size_format need. */
enum {
    LEAT_SIZE_TEXT_MAX = 8 /**< The room for a size as text, with its NUL. */
};

/**
 * Reads a time such as "5", "5s", "500ms", "2m" or "1.5h". A number without a unit is in seconds.
 *
 * @param ret_ms  The time in milliseconds; -1 for "none".
 *
 * @return 0; -EINVAL: the text is no time; -ERANGE: the time is less than a millisecond, or does not fit.
 */
LEAT_API int leat_time_parse(const char *text, int32_t *ret_ms);

/**
 * Writes a name in a form that a terminal can show on one line.
 *
 * If the name has control characters or is not UTF-8, it is quoted as a shell reads it: 'a'$'\n''b'. Otherwise it is
 * written as it is.
 *
 * @param buffer  Where the text goes, with a NUL; the caller's. May be NULL if `size` is 0.
 * @param size    The room there in bytes. The call stores at most this many, with the NUL.
 *
 * @return The length of the whole text without its NUL, as snprintf(3) does.
 */
LEAT_API size_t leat_text_quote(char *buffer, size_t size, const char *name);

/**
 * Finds what a misspelt word was meant to be: the nearest words of a list.
 *
 * The distance is the number of letters that are missing, superfluous, different or swapped. A beginning of a word is
 * near to that word. The call writes for instance "digest", or "zstd or unzstd" if several words are equally near.
 *
 * @param buffer  Where the text goes, with a NUL; the caller's. The text is empty if no word is near.
 * @param size    The room there in bytes.
 * @param word    The misspelt word.
 * @param n       How many bytes of it are compared.
 * @param words   The list; NULL is behind the last word.
 *
 * @return How many words are equally near, at most 3; 0: no word is near.
 */
LEAT_API size_t leat_text_nearest(char *buffer, size_t size, const char *word, size_t n, const char *const words[]);

/**
 * Counts the processors that the calling thread may run on: a default for a number of threads, such as
 * leat_stage.workers.
 *
 * On Linux this is the affinity of the thread, as taskset(1), sched_setaffinity(2) or the cpuset of a cgroup set it.
 * Elsewhere, or if the affinity can't be read, it is the number of processors that are online. A limit on the time of
 * processors, such as cpu.max of a cgroup, does not count.
 *
 * @return At least 1.
 */
LEAT_API uint32_t leat_processors_count(void);

/** What leat_thread_hooks_set takes. */
struct leat_thread_hooks {
    size_t size;               /**< Of this struct. */
    void *user;                /**< Handed to both functions. Borrowed for ever. */
    void (*begin)(void *user); /**< Called on each thread of leat, before any callback there. NULL: not called. */
    void (*end)(void *user);   /**< Called on the same thread, after the last callback there. NULL: not called. */
};

/**
 * Sets two functions that run at the beginning and at the end of each thread of leat, for instance so that a binding
 * attaches the thread to the runtime of its language.
 *
 * The functions can be set once in a process, and before leat has made a thread. In a child of fork(2) they stay set.
 * `end` is called also if a callback leaves its thread by pthread_exit(3). A call that waits for a thread (such as
 * leat_pipeline_wait or leat_stages_free) returns after the `end` of that thread. Threads that nothing waits for,
 * because what they do can't be ended (a child that does not die, the opening of a FIFO), end later or not at all.
 *
 * @param hooks      Copied.
 * @param ret_error  NULL, or where the call says in a sentence why it failed.
 *
 * @return 0; -EBUSY: hooks are set, or leat has made a thread already; -EINVAL: NULL; -ENOMEM.
 */
LEAT_API int leat_thread_hooks_set(const struct leat_thread_hooks *hooks, struct leat_error *ret_error);

/** The layout of the text of an explanation or a report. */
enum leat_format {
    LEAT_FORMAT_TEXT = 0, /**< For people: several lines. */
    LEAT_FORMAT_JSON = 1, /**< One JSON object on one line, which ends in a newline. */
};

#ifdef __cplusplus
}
#endif
#endif
