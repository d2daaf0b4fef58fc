/* SPDX-License-Identifier: MIT */
#include "store/ask.h"
#include "base/thread.h"
#include <stdio.h>

#define WANTED_MS 100

struct asking {
    int (*make)(void *user, struct http_request *ret);
    void *user;
    pthread_mutex_t lock;
    pthread_cond_t woken;
};

static int make_request(void *user, struct http_request *ret)
{
    struct asking *a = user;
    return a->make(a->user, ret);
}

static void wake(void *user)
{
    struct asking *a = user;
    pthread_mutex_lock(&a->lock);
    pthread_cond_broadcast(&a->woken);
    pthread_mutex_unlock(&a->lock);
}

/* Blocks; the caller holds the lock, which is dropped meanwhile. False: the answer is no longer wanted. */
static bool wait_a_little(struct exchange *x, struct asking *a)
{
    if (thread_cond_wait(&a->woken, &a->lock, x->is_wanted ? clock_ns() + WANTED_MS * INT64_C(1000000) : INT64_MAX) ||
        !x->is_wanted)
        return true;
    pthread_mutex_unlock(&a->lock);
    bool wanted = x->is_wanted(x->of);
    pthread_mutex_lock(&a->lock);
    return wanted;
}

int ask(struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user, int32_t retries)
{
    struct asking a = {.make = make, .user = user, .lock = PTHREAD_MUTEX_INITIALIZER};
    int r = thread_cond_init(&a.woken);
    if (r < 0)
        return r;
    x->make = make_request;
    x->wake = wake;
    x->user = &a;
    r = exchange_start(x, retries);
    pthread_mutex_lock(&a.lock);
    bool given_up = false;
    while (r == 0 && !exchange_is_over(x) && !given_up)
        given_up = !wait_a_little(x, &a);
    pthread_mutex_unlock(&a.lock);
    exchange_stop(x); /* after this `wake` is not called any more */
    if (given_up && !exchange_is_over(x)) {
        x->code = -ECANCELED;
        snprintf(x->why, sizeof(x->why), "it was cancelled");
    }
    pthread_cond_destroy(&a.woken);
    pthread_mutex_destroy(&a.lock);
    return r;
}
