/* SPDX-License-Identifier: MIT */
/* A hasher hashes files with several threads and emits the results in the order in which the caller put the files. */
#ifndef CLI_HASHER_H
#define CLI_HASHER_H

#include "cli.h"

struct hash_job {
    char *name;       /* a path, or "-" for standard input */
    char *algorithms; /* in the syntax of leat_filter_digest */
    bool done;        /* hashed; or there is nothing to hash, and the job only holds a place in the order of output */

    /* For the caller. The hasher does not read them. */
    char expected[LEAT_DIGEST_HEX_MAX];
    uint64_t number;

    /* The result. */
    int code;            /* 0 or a negative errno */
    leat_report *report; /* has the digests; NULL if code is not 0 */
};

struct hasher;

/* Called once for each job in order. Calls never overlap, but they may come from different threads. */
typedef void hasher_emit_fn(void *user, const struct hash_job *job);

/* Creates a hasher with at most `jobs` threads. 0: as many as there are processors, up to a limit. */
int hasher_new(struct hasher **ret, unsigned jobs, hasher_emit_fn *emit, void *user);

/* Makes a job with copies of both strings. NULL: no memory. */
struct hash_job *hasher_job(const char *name, const char *algorithms);

/* Takes the job. Blocks while the ring of jobs is full. */
void hasher_put(struct hasher *hasher, struct hash_job *job);

/* Returns when every job that was put has been emitted. */
void hasher_drain(struct hasher *hasher);

/* Drains the hasher, then frees it. NULL is allowed. */
void hasher_free(struct hasher *hasher);

#endif
