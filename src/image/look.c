/* SPDX-License-Identifier: MIT */
#include "image/look.h"
#include "base/thread.h"
#include <errno.h>

#define THREADS_MAX 16u

struct image_looking {
    struct image_place *target;
    const struct image_place *source;
    const struct blobs *blobs;
    enum image_look *found;
    atomic_size_t next;
    atomic_bool failed; /* no more blobs are asked about */

    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running;           /* under the lock */
    struct leat_error *error; /* under the lock until all threads have ended */
};

static int look_one(const struct image_looking *l, size_t i, struct leat_error *error)
{
    struct image_place *target = l->target;
    const struct descriptor *blob = &l->blobs->blob[i];
    int r = target->ops->has(target, blob, false, error);
    if (r == 0 && target->ops->mount) {
        r = target->ops->mount(target, l->source, blob, error);
        l->found[i] = r == 1 ? LOOK_MOUNTED : LOOK_MISSING;
    } else
        l->found[i] = r == 1 ? LOOK_PRESENT : LOOK_MISSING;
    return r < 0 ? r : 0;
}

static void look_on(struct image_looking *l)
{
    size_t i;
    while (!atomic_load(&l->failed) && (i = atomic_fetch_add(&l->next, 1)) < l->blobs->count) {
        struct leat_error error = {.size = sizeof(error)};
        if (look_one(l, i, &error) == 0)
            continue;
        pthread_mutex_lock(&l->lock);
        if (!atomic_exchange(&l->failed, true))
            *l->error = error;
        pthread_mutex_unlock(&l->lock);
    }
}

static void *run(void *user)
{
    struct image_looking *l = user;
    look_on(l);
    pthread_mutex_lock(&l->lock);
    l->running--;
    pthread_cond_signal(&l->ended);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* In the meantime progress is reported to the caller. If the caller cancels, the requests end as well. */
static void wait_for_all(struct image_looking *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->running) {
        int64_t ms = watch_interval_ms(l->target->watch);
        if (thread_cond_wait(&l->ended, &l->lock, clock_ns() + (ms > 0 ? ms : 1000) * 1000000))
            continue;
        pthread_mutex_unlock(&l->lock);
        watch_tell(l->target->watch, 0);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
}

/* If no more threads can be created, there are fewer. If there is none, the calling thread does the work. */
static void look_together(struct image_looking *l, size_t count)
{
    pthread_t thread[THREADS_MAX];
    size_t started = 0;
    l->running = count;
    while (started < count && thread_create(&thread[started], run, l) == 0)
        started++;
    pthread_mutex_lock(&l->lock);
    l->running -= count - started;
    pthread_mutex_unlock(&l->lock);
    if (started == 0)
        look_on(l);
    wait_for_all(l);
    for (size_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
}

int look_at(struct image_place *target, const struct image_place *source, const struct blobs *blobs,
            enum image_look *ret, struct leat_error *error)
{
    struct image_looking l = {.target = target,
                              .source = source,
                              .blobs = blobs,
                              .found = ret,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .error = error};
    int r = thread_cond_init(&l.ended);
    if (r < 0)
        return error_set(error, r, "out of memory");
    atomic_init(&l.next, 0);
    atomic_init(&l.failed, false);
    if (target->ops->asks && blobs->count > 1)
        look_together(&l, MIN(blobs->count, THREADS_MAX));
    else
        look_on(&l);
    pthread_cond_destroy(&l.ended);
    pthread_mutex_destroy(&l.lock);
    return error->code;
}
