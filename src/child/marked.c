/* SPDX-License-Identifier: MIT */
/* `at`, `has` and `abandoned` are under the lock. The caller and the thread share the reading; the last one frees
 * it. */
#include "child/marked.h"
#include "base/thread.h"
#include "base/wait.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct marked_reading {
    pthread_mutex_t lock;
    pthread_cond_t progressed;
    size_t at, n;
    bool abandoned; /* One of the two has left. */
    marked_reader *read;
    char *mark;
    bool *has;
    pid_t pid[];
};

static void destroy(struct marked_reading *r)
{
    pthread_cond_destroy(&r->progressed);
    pthread_mutex_destroy(&r->lock);
    free(r->mark);
    free(r->has);
    free(r);
}

/* Needs the lock, and gives it back. */
static void leave(struct marked_reading *r)
{
    bool last = r->abandoned;
    r->abandoned = true;
    pthread_mutex_unlock(&r->lock);
    if (last)
        destroy(r);
}

static void *read_on(void *user)
{
    struct marked_reading *r = user;
    pthread_mutex_lock(&r->lock);
    while (r->at < r->n && !r->abandoned) {
        size_t i = r->at;
        pthread_mutex_unlock(&r->lock);
        bool has = r->read(r->pid[i], r->mark);
        pthread_mutex_lock(&r->lock);
        r->has[i] = has;
        r->at = i + 1;
        pthread_cond_signal(&r->progressed);
    }
    leave(r);
    return NULL;
}

static struct marked_reading *begin(const struct platform_process *process, size_t n, const char *mark,
                                    marked_reader *read)
{
    struct marked_reading *r = calloc(1, sizeof(*r) + n * sizeof(r->pid[0]));
    if (!r)
        return NULL;
    if (thread_cond_init(&r->progressed) < 0) {
        free(r);
        return NULL;
    }
    pthread_mutex_init(&r->lock, NULL);
    r->read = read;
    r->mark = strdup(mark);
    r->has = calloc(n + 1, sizeof(*r->has));
    r->n = n;
    for (size_t i = 0; i < n; i++)
        r->pid[i] = process[i].pid;
    if (r->mark && r->has)
        return r;
    destroy(r);
    return NULL;
}

/* Needs the lock. False: there was no progress for MARKED_PATIENCE_MS. */
static bool wait_for_more(struct marked_reading *r)
{
    int64_t until = clock_ns() + MARKED_PATIENCE_MS * INT64_C(1000000);
    size_t before = r->at;
    while (r->at == before)
        if (!thread_cond_wait(&r->progressed, &r->lock, until))
            return r->at != before;
    return true;
}

/* If no thread can be made, nothing is read, because that might take for ever. */
size_t marked_find(const struct platform_process *process, size_t from, size_t n, const char *mark, marked_reader *has,
                   bool *ret_has)
{
    pthread_t thread;
    struct marked_reading *r = from < n ? begin(process + from, n - from, mark, has) : NULL;
    if (!r)
        return n;
    if (thread_create(&thread, read_on, r) < 0) {
        destroy(r);
        return n;
    }
    pthread_detach(thread);
    pthread_mutex_lock(&r->lock);
    while (r->at < r->n && wait_for_more(r))
        ;
    size_t at = r->at;
    for (size_t i = 0; i < at; i++)
        ret_has[from + i] = r->has[i];
    leave(r);
    return from + at;
}
