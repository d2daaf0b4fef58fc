/* SPDX-License-Identifier: MIT */
/* The jobs are in a ring. Those in [head, next) are being hashed or wait to be emitted; those in [next, tail) wait for
 * a thread. One lock protects everything, and emitting happens under it, too: the thread that finishes the job at the
 * head emits that job and the finished ones behind it. So a slow reader of the output blocks all threads, which is
 * backpressure.
 *
 * The first job is held back until there is a second one, or until no more jobs come. If it stays the only one, the
 * thread that put it hashes it with one thread for each algorithm, which is faster. */
#include "hasher.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_AUTO      16
#define JOBS_MAX       256
#define WAITING        8             /* places in the ring for each thread */
#define MEMORY_FOR_JOB (1024 * 1024) /* a few chunks: enough to read ahead while the digest is computed */

struct hasher {
    unsigned jobs;
    hasher_emit_fn *emit;
    void *user;
    struct hash_job *first; /* held back; only the thread that puts jobs uses it */

    pthread_mutex_t lock;
    pthread_cond_t work; /* wakes a thread: there is a job, or the hasher ends */
    pthread_cond_t room; /* wakes the thread that puts jobs: the head has moved */
    struct hash_job **ring;
    size_t capacity;
    uint64_t head, next, tail;
    unsigned idle;
    bool ended;
    unsigned threads;
    pthread_t thread[JOBS_MAX];
};

/* ---- one file ---- */

/* Opens a file. The name is always a path, never a scheme. */
static int open_source(leat_endpoint **ret, const char *name)
{
    if (strcmp(name, "-") == 0)
        return leat_endpoint_open(ret, name, LEAT_READ, NULL, NULL);
    if (name[0] == '\0')
        return -ENOENT;
    size_t size = strlen(name) + sizeof("file:");
    char *spec = malloc(size);
    if (!spec)
        return -ENOMEM;
    snprintf(spec, size, "file:%s", name);
    int r = leat_endpoint_open(ret, spec, LEAT_READ, NULL, NULL);
    free(spec);
    return r;
}

static int build(leat_pipeline *pipeline, const struct hash_job *job, int threads)
{
    struct leat_digest_options options = LEAT_INIT(struct leat_digest_options);
    options.threads = threads;
    leat_endpoint *source;
    leat_filter *filter;
    int r = open_source(&source, job->name);
    if (r == 0)
        r = leat_pipeline_source(pipeline, source);
    if (r == 0)
        r = leat_filter_digest(&filter, job->algorithms, &options, NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, filter);
    return r;
}

/* `threads` has the meaning of leat_digest_options.threads. */
static void hash(struct hash_job *job, int threads)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.memory_limit = MEMORY_FOR_JOB;
    leat_pipeline *pipeline = NULL;
    int r = leat_pipeline_new(&pipeline, &options, NULL);
    if (r == 0)
        r = build(pipeline, job, threads);
    if (r == 0)
        r = leat_pipeline_run(pipeline, &job->report);
    if (r == 0 && !job->report)
        r = -ENOMEM;
    leat_pipeline_free(pipeline);
    job->code = r;
    job->done = true;
}

static void job_free(struct hash_job *job)
{
    leat_report_free(job->report);
    free(job->name);
    free(job->algorithms);
    free(job);
}

/* ---- many ---- */

static void emit_done(struct hasher *h)
{
    uint64_t before = h->head;
    for (; h->head < h->next && h->ring[h->head % h->capacity]->done; h->head++) {
        struct hash_job *job = h->ring[h->head % h->capacity];
        h->emit(h->user, job);
        job_free(job);
    }
    if (h->head != before)
        pthread_cond_signal(&h->room);
}

/* Hashes one job. The caller holds the lock, which is released while the job is hashed. `done` is written under the
 * lock, since other threads read it. */
static void take_one(struct hasher *h, int threads)
{
    struct hash_job *job = h->ring[h->next++ % h->capacity];
    if (!job->done) {
        struct hash_job own = *job;
        pthread_mutex_unlock(&h->lock);
        hash(&own, threads);
        pthread_mutex_lock(&h->lock);
        *job = own;
    }
    emit_done(h);
}

static void *work(void *user)
{
    struct hasher *h = user;
    pthread_mutex_lock(&h->lock);
    for (;;) {
        if (h->next < h->tail)
            take_one(h, -1);
        else if (h->ended)
            break;
        else {
            h->idle++;
            pthread_cond_wait(&h->work, &h->lock);
            h->idle--;
        }
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* Adds a job to the ring. If no thread could be started, the calling thread hashes the job. */
static void put(struct hasher *h, struct hash_job *job, bool alone)
{
    pthread_mutex_lock(&h->lock);
    while (h->tail - h->head == h->capacity)
        pthread_cond_wait(&h->room, &h->lock);
    h->ring[h->tail++ % h->capacity] = job;
    bool wanted = !alone && h->jobs > 1 && h->threads < h->jobs && h->tail - h->next > h->idle;
    if (wanted && pthread_create(&h->thread[h->threads], NULL, work, h) == 0)
        h->threads++;
    if (h->threads == 0)
        take_one(h, 0);
    else
        pthread_cond_signal(&h->work);
    pthread_mutex_unlock(&h->lock);
}

static void put_first(struct hasher *h, bool alone)
{
    struct hash_job *first = h->first;
    h->first = NULL;
    if (first)
        put(h, first, alone);
}

struct hash_job *hasher_job(const char *name, const char *algorithms)
{
    struct hash_job *job = calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->name = strdup(name);
    job->algorithms = strdup(algorithms);
    if (job->name && job->algorithms)
        return job;
    job_free(job);
    return NULL;
}

/* Drains the ring before a job that reads standard input, so that only one thread reads it at a time: the next job that
 * reads it gets the bytes that are left. */
void hasher_put(struct hasher *h, struct hash_job *job)
{
    bool shared = strcmp(job->name, "-") == 0;
    if (shared)
        hasher_drain(h);
    if (h->first || h->tail > 0) {
        put_first(h, false);
        put(h, job, false);
    } else
        h->first = job;
    if (shared)
        hasher_drain(h);
}

void hasher_drain(struct hasher *h)
{
    put_first(h, true);
    pthread_mutex_lock(&h->lock);
    while (h->head < h->tail)
        pthread_cond_wait(&h->room, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static unsigned choose_jobs(unsigned wanted)
{
    unsigned processors = leat_processors_count();
    if (wanted > 0)
        return wanted < JOBS_MAX ? wanted : JOBS_MAX;
    return processors < JOBS_AUTO ? processors : JOBS_AUTO;
}

int hasher_new(struct hasher **ret, unsigned jobs, hasher_emit_fn *emit, void *user)
{
    struct hasher *h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->jobs = choose_jobs(jobs);
    h->emit = emit;
    h->user = user;
    h->capacity = (size_t)h->jobs * WAITING;
    h->ring = calloc(h->capacity, sizeof(struct hash_job *));
    if (!h->ring) {
        free(h);
        return -ENOMEM;
    }
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->work, NULL);
    pthread_cond_init(&h->room, NULL);
    *ret = h;
    return 0;
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    hasher_drain(h);
    pthread_mutex_lock(&h->lock);
    h->ended = true;
    pthread_cond_broadcast(&h->work);
    pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < h->threads; i++)
        pthread_join(h->thread[i], NULL);
    pthread_cond_destroy(&h->room);
    pthread_cond_destroy(&h->work);
    pthread_mutex_destroy(&h->lock);
    free(h->ring);
    free(h);
}
