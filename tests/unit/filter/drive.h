/* SPDX-License-Identifier: MIT */
/* Drives a transform in the way of a pipeline: gives the input in pieces and takes the output in rooms. Each piece and
 * each room has memory of its own, so that a sanitizer sees an access beyond it. Each answer is checked against the
 * contract. */
#ifndef TESTS_FILTER_DRIVE_H
#define TESTS_FILTER_DRIVE_H

#include "node/filter.h"
#include "unit/unit.h"
#include <sys/mman.h>

/* The memory is mapped instead of allocated, because clang's analyser does not know the clean-up and would report
 * leaks. */
struct bytes {
    uint8_t *data;
    size_t n, room;
};

static inline void bytes_free(struct bytes *bytes)
{
    if (bytes->room > 0)
        munmap(bytes->data, bytes->room);
    *bytes = (struct bytes){0};
}

static inline void bytes_add(struct bytes *bytes, const void *more, size_t n)
{
    if (bytes->n + n > bytes->room || bytes->room == 0) {
        struct bytes larger = {.n = bytes->n, .room = MAX(65536, 2 * (bytes->n + n))};
        larger.data = mmap(NULL, larger.room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(larger.data != MAP_FAILED);
        if (bytes->n > 0)
            memcpy(larger.data, bytes->data, bytes->n);
        bytes_free(bytes);
        *bytes = larger;
    }
    if (n > 0)
        memcpy(bytes->data + bytes->n, more, n);
    bytes->n += n;
}
#define CLEANUP_BYTES CLEANUP(bytes_free)

/* Random numbers that are the same on every machine. */
static inline uint32_t drive_random(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static inline bool drive_quick(void)
{
    return getenv("LEAT_TEST_QUICK") != NULL;
}

#define DRIVE_RANDOM SIZE_MAX
struct drive {
    size_t piece, room; /* bytes at a time; DRIVE_RANDOM: a new random number each time */
    size_t flush;       /* flush after so many pieces; 0: never */
    bool finish_empty;  /* the end comes after the last piece, not with it */
};

static inline size_t drive_size(size_t size)
{
    return size == DRIVE_RANDOM ? 1 + drive_random() % 300 : size;
}

/* Lets the transform fill one room, and returns its answer. */
static inline int drive_room(leat_filter *filter, struct filter_buffers *b, int mode, size_t room, struct bytes *ret,
                             struct leat_error *error)
{
    uint8_t *out = malloc(room);
    size_t in_before = b->in_n;
    assert_non_null(out);
    b->out = out;
    b->out_n = room;
    int r = filter->ops->transform(filter, b, mode, error);
    filter_count(filter, in_before - b->in_n);
    assert_true(b->in_n <= in_before && b->out_n <= room && b->out == out + (room - b->out_n));
    bytes_add(ret, out, room - b->out_n);
    free(out);
    if (r == LEAT_FILTER_DONE)
        assert_true(b->in_n == 0);
    if (r == LEAT_FILTER_FULL)
        assert_true(b->out_n == 0); /* a transform without output must not run for ever */
    assert_true(ret->n < 64u << 20);
    return r;
}

/* Passes one piece in one mode until it is done. Returns 0, LEAT_FILTER_ENDED or the failure. */
static inline int drive_step(leat_filter *filter, const uint8_t *in, size_t n, int mode, size_t room, struct bytes *ret,
                             struct leat_error *error)
{
    uint8_t *piece = malloc(n + (n == 0));
    struct filter_buffers b = {.in = n ? piece : NULL, .in_n = n};
    assert_non_null(piece);
    if (n > 0)
        memcpy(piece, in, n);
    int r;
    do
        r = drive_room(filter, &b, mode, drive_size(room), ret, error);
    while (r == LEAT_FILTER_FULL);
    free(piece);
    return r;
}

/* Makes a whole run, beginning with start. `ret` may have bytes already. */
static inline int drive(leat_filter *filter, const void *in, size_t n, struct drive how, struct bytes *ret,
                        struct leat_error *error)
{
    const uint8_t *at = in;
    int r = filter->ops->start ? filter->ops->start(filter, 0, error) : 0;
    for (size_t i = 1; r == 0 && (n > 0 || how.finish_empty); i++) {
        size_t size = drive_size(how.piece), part = MIN(n, size);
        int mode = how.flush && i % how.flush == 0 ? LEAT_FILTER_FLUSH : LEAT_FILTER_MORE;
        if (part == n && !how.finish_empty)
            break;
        r = drive_step(filter, at, part, mode, how.room, ret, error);
        at += part;
        n -= part;
        if (n == 0)
            break;
    }
    return r == 0 ? drive_step(filter, at, n, LEAT_FILTER_FINISH, how.room, ret, error) : r;
}

#endif
