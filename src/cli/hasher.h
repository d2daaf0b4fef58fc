/* Files are hashed by a few threads, and the results come back in the order in which the files were given. */
#ifndef CLI_HASHER_H
#define CLI_HASHER_H

#include "cli.h"

struct hash_job {
    char *name;       /* a path, "-" for standard input */
    char *algorithms; /* as leat_filter_digest has them */
    bool done;        /* it has been hashed; or nothing is to be hashed, only something to be said in its turn */

    /* Whatever the caller wants to remember. */
    char expected[LEAT_DIGEST_HEX_MAX];
    uint64_t number;

    /* The result. */
    int code;            /* 0 or a negative errno */
    leat_report *report; /* its digests; NULL if code is not 0 */
};

struct hasher;

/* Called once for each job, in order, by one thread at a time, though not always by the same. */
typedef void hasher_emit_fn(void *user, const struct hash_job *job);

/* `jobs` threads at most; 0: as many as there are processors, within reason. */
int hasher_new(struct hasher **ret, unsigned jobs, hasher_emit_fn *emit, void *user);

/* A job with copies of both. NULL: no memory. */
struct hash_job *hasher_job(const char *name, const char *algorithms);

/* Takes the job. Blocks while many are waiting. */
void hasher_put(struct hasher *hasher, struct hash_job *job);

/* Returns when all that was put has been emitted. */
void hasher_drain(struct hasher *hasher);

/* Drains it first. NULL is allowed. */
void hasher_free(struct hasher *hasher);

#endif
