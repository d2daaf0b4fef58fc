#include "store/ask.h"
#include <pthread.h>

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

int ask(struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user, int32_t retries)
{
    struct asking a = {
        .make = make, .user = user, .lock = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    x->make = make_request;
    x->wake = wake;
    x->user = &a;
    int r = exchange_start(x, retries);
    pthread_mutex_lock(&a.lock);
    while (r == 0 && !exchange_is_over(x))
        pthread_cond_wait(&a.woken, &a.lock);
    pthread_mutex_unlock(&a.lock);
    exchange_stop(x); /* after this nobody calls wake */
    pthread_cond_destroy(&a.woken);
    pthread_mutex_destroy(&a.lock);
    return r;
}
