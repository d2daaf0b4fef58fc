/* leat/base.h: what every other header of leat stands on.
 *
 * Rules that hold for the whole interface unless a declaration says otherwise:
 *   - Functions return 0 or a negative errno value. Parameters named ret_* are untouched on failure.
 *   - Options may be NULL, which means the defaults. A struct that the caller allocates begins with
 *     `size_t size`, which the caller sets to sizeof(struct ...): LEAT_INIT(struct ...) does it. A size below that of
 *     the member itself, such as 0, is -EINVAL. A newer program may run with an older library: a struct larger than
 *     the library's is taken if all bytes behind what the library knows are zero, else the call says -E2BIG.
 *   - A value that its enum does not have is -EINVAL.
 *   - A parameter or member `ret_error` may be NULL. The call resets what it points to when it begins, so that
 *     afterwards it tells of this call alone: `code` is 0 on success, else what the call returned.
 *   - Descriptors are *borrowed* (used, never closed), *taken* (leat closes them, on failure too) or *given*
 *     (leat made it, the caller closes it). leat never changes the flags of a descriptor it did not create.
 *   - Nothing here prints, installs a signal handler or raises SIGPIPE. Every descriptor leat makes is
 *     close-on-exec.
 *   - Sizes and offsets are in bytes, times in milliseconds where a name ends in _ms.
 *   - After fork() the child may only free what it inherited; it must not run it. Freeing waits for nobody there,
 *     closes the child's descriptors of a pipe, a connection or a channel, and does nothing to what the parent runs;
 *     its memory may stay until the child ends. Objects that the child makes are its own.
 *   - Threads of leat take no signal: all signals are blocked in them, so those of the program reach the program's
 *     threads. A callback may run on such a thread; what it starts inherits the mask, so a callback that starts a
 *     program sets the mask that the program shall have (posix_spawnattr_setsigmask).
 */
#ifndef LEAT_BASE_H
#define LEAT_BASE_H

#include <stddef.h>
#include <stdint.h>

/* A zeroed struct whose size member is set: struct leat_error e = LEAT_INIT(struct leat_error); */
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

#if defined(__GNUC__)
#define LEAT_API __attribute__((visibility("default")))
#else
#define LEAT_API
#endif

/* On which side of a transfer something happened. */
enum leat_side {
    LEAT_SIDE_NONE = 0,   /* the pipeline itself: its options, its memory, a cancel */
    LEAT_SIDE_SOURCE = 1, /* where the bytes come from */
    LEAT_SIDE_FILTER = 2, /* what sits between */
    LEAT_SIDE_SINK = 3,   /* where the bytes go */
};

/* What the caller can do about a failure, where that is known. A new version of the library may have more values. */
enum leat_advice {
    LEAT_ADVICE_NONE = 0,
    LEAT_ADVICE_IN_PLACE = 1,        /* write through the existing file: LEAT_WRITE_IN_PLACE */
    LEAT_ADVICE_DROP_ATTRIBUTES = 2, /* in place, or let go of the attributes that a new file can't have */
    LEAT_ADVICE_REPLACE = 3,         /* allow that an existing file is replaced */
    LEAT_ADVICE_FORCE = 4,           /* allow that a file without write permission is replaced */
    LEAT_ADVICE_LENGTH = 5,          /* say how many bytes: leat_pipeline_options.length */
    LEAT_ADVICE_CONNECT_TIMEOUT = 6, /* allow more time: leat_endpoint_options.connect_timeout_ms */
    LEAT_ADVICE_IDLE_TIMEOUT = 7,    /* allow more time: leat_endpoint_options.idle_timeout_ms */
    LEAT_ADVICE_USER_DIGEST = 8,     /* take another provider of digests: LEAT_DIGEST_USER */
    LEAT_ADVICE_SOURCE_STABLE = 9,   /* if nobody changes the source meanwhile, say so: LEAT_SOURCE_STABLE */
    LEAT_ADVICE_WINDOW = 10,         /* allow unzstd a larger window: its option windowlog */
    LEAT_ADVICE_MEMORY = 11,         /* raise the memory limit */
    LEAT_ADVICE_CACERT = 12,         /* name the authority that signed: leat_endpoint_options.cacert */
};

/* The first true failure. `node` and `operation` are borrowed from whatever handed the error out and live as long
 * as that (for leat_endpoint_open: `node` is the caller's own spec). `text` is one sentence for people, without a
 * newline or any other control character. `advice` says what to do next where that is known. */
struct leat_error {
    size_t size;
    int32_t code;          /* negative errno; 0: nothing failed */
    int32_t side;          /* enum leat_side */
    uint32_t index;        /* which sink or filter, counted from 0 */
    int32_t advice;        /* enum leat_advice */
    const char *node;      /* the endpoint as it was named, "" when there is none */
    const char *operation; /* the system call or step that failed: "write", "splice", "verify" */
    uint64_t offset;       /* where in the stream */
    uint64_t taken;        /* bytes that left the source */
    uint64_t delivered;    /* bytes that this sink has accepted (of the source's side: the least of all sinks) */
    uint64_t held;         /* bytes taken and not delivered when it failed */
    char text[200];
};

/* The version of these headers. LEAT_VERSION_NUMBER grows with each version and can be compared in an #if: 0.1.0 is
 * 100, 1.2.3 is 10203. */
#define LEAT_VERSION_MAJOR  0
#define LEAT_VERSION_MINOR  1
#define LEAT_VERSION_PATCH  0
#define LEAT_VERSION_NUMBER (LEAT_VERSION_MAJOR * 10000 + LEAT_VERSION_MINOR * 100 + LEAT_VERSION_PATCH)

/* The version of the library that the program runs with: "0.1.0". Never NULL, static. Any thread. */
LEAT_API const char *leat_version(void);

/* Frees a text that leat returned in a `char **ret`. NULL is allowed. Programs in C may call free(3) as well; bindings
 * that have another allocator call this. Any thread. */
LEAT_API void leat_free(void *text);

/* The name of an errno value of either sign, such as "ENOSPC"; "E?" if it has none. Static. Any thread. */
LEAT_API const char *leat_errno_name(int code);

/* Reads a size such as "4096", "64K", "10M", "1.5GiB", "2MB": K M G T are powers of 1024, KB MB GB TB powers of
 * 1000, KiB ... powers of 1024. -EINVAL if it is no size, -ERANGE if it does not fit. */
LEAT_API int leat_size_parse(const char *text, uint64_t *ret);

/* Reads a time such as "5", "5s", "500ms", "2m", "1.5h" as milliseconds; "none" is -1. -EINVAL if it is no time,
 * -ERANGE if it is less than a millisecond or does not fit. */
LEAT_API int leat_time_parse(const char *text, int32_t *ret_ms);

/* Writes a name so that a terminal can show it on one line: as it is, or, if it has control characters or is not UTF-8,
 * quoted as a shell reads it: 'a'$'\n''b'. Stores at most `size` bytes with the NUL (`buffer` may be NULL if that is
 * 0), and returns the length of the whole without its NUL, as snprintf does. Any thread. */
LEAT_API size_t leat_text_quote(char *buffer, size_t size, const char *name);

/* What a misspelt word was meant to be: finds the nearest of `words`, which end in NULL. The first `n` bytes of `word`
 * are compared. Letters that are missing, superfluous, different or swapped are counted, and a beginning of a word is
 * near it. Writes "digest", or "zstd or unzstd" if several are as near, and returns how many; 0, and an empty text,
 * if none is near. Any thread. */
LEAT_API size_t leat_text_nearest(char *buffer, size_t size, const char *word, size_t n, const char *const words[]);

/* How the text of an explanation or a report is laid out. */
enum leat_format {
    LEAT_FORMAT_TEXT = 0, /* for people, several lines */
    LEAT_FORMAT_JSON = 1, /* one object on one line, ending in a newline */
};

#ifdef __cplusplus
}
#endif
#endif
