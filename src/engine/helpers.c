/* SPDX-License-Identifier: MIT */
/* The helpers of a loop: threads that make the calls of ops with OP_ASYNC, one call at a time each. So several reads
 * and writes of files are in flight at once, even if the engine itself has no queue for them.
 *
 * Ownership: a helper has an op from helpers_submit until it adds the op to the list `over`, from which the loop's
 * thread takes it. The lock guards both lists. If an op finds no idle thread, another one is started, up to
 * HELPERS_MAX; further ops wait in the list.
 *
 * No wake-up is lost: a helper adds the op to the list before it wakes the loop, and the loop looks at the list after
 * it has announced that it sleeps. */
#include "base/thread.h"
#include "engine/engine.h"

#define HELPERS_MAX 16

struct helpers {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t come; /* an op was submitted, or `quits` was set */
    struct op *first, **last;
    struct op *over;
    size_t idle;
    size_t submitted; /* ops that no thread has taken yet */
    bool quits;
    size_t threads;
    pthread_t thread[HELPERS_MAX];
};

static void append(struct helpers *h, struct op *op)
{
    op->following = NULL;
    *h->last = op;
    h->last = &op->following;
    h->submitted++;
}

static struct op *take(struct helpers *h)
{
    struct op *op = h->first;
    h->first = op->following;
    if (!h->first)
        h->last = &h->first;
    h->submitted--;
    return op;
}

static void is_over(struct helpers *h, struct op *op, ssize_t result)
{
    op->result = result;
    op->following = h->over;
    h->over = op;
}

static void *help(void *user)
{
    struct helpers *h = user;
    pthread_mutex_lock(&h->lock);
    for (;;) {
        h->idle++;
        while (!h->first && !h->quits)
            pthread_cond_wait(&h->come, &h->lock);
        h->idle--;
        if (!h->first)
            break;
        struct op *op = take(h);
        pthread_mutex_unlock(&h->lock);
        ssize_t result = op_perform(op);
        pthread_mutex_lock(&h->lock);
        is_over(h, op, result);
        waker_wake(&h->loop->waker);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static struct helpers *helpers_of(struct loop *loop)
{
    struct helpers *h = loop->helpers;
    if (h || !(h = calloc(1, sizeof(*h))))
        return h;
    if (thread_cond_init(&h->come) < 0) {
        free(h);
        return NULL;
    }
    h->loop = loop;
    h->last = &h->first;
    pthread_mutex_init(&h->lock, NULL);
    return loop->helpers = h;
}

/* If there is no memory or no thread, the calling thread makes the call. */
void helpers_submit(struct loop *loop, struct op *op)
{
    struct helpers *h = helpers_of(loop);
    if (!h) {
        task_done_async(op->task, op, op_perform(op));
        return;
    }
    pthread_mutex_lock(&h->lock);
    if (h->idle <= h->submitted && h->threads < HELPERS_MAX)
        h->threads += thread_create(&h->thread[h->threads], help, h) == 0;
    bool here = h->threads == 0;
    if (!here) {
        append(h, op);
        pthread_cond_signal(&h->come);
    }
    pthread_mutex_unlock(&h->lock);
    if (here)
        helpers_over(loop, op, op_perform(op));
}

void helpers_over(struct loop *loop, struct op *op, ssize_t result)
{
    struct helpers *h = helpers_of(loop);
    if (!h) {
        task_done_async(op->task, op, result);
        return;
    }
    pthread_mutex_lock(&h->lock);
    is_over(h, op, result);
    pthread_mutex_unlock(&h->lock);
}

void helpers_collect(struct loop *loop)
{
    struct helpers *h = loop->helpers;
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    struct op *over = h->over;
    h->over = NULL;
    pthread_mutex_unlock(&h->lock);
    while (over) {
        struct op *op = over;
        over = op->following;
        task_done_async(op->task, op, op->result);
    }
}

void helpers_close(struct loop *loop)
{
    struct helpers *h = loop->helpers;
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->quits = true;
    pthread_cond_broadcast(&h->come);
    pthread_mutex_unlock(&h->lock);
    for (size_t i = 0; i < h->threads; i++)
        pthread_join(h->thread[i], NULL);
    pthread_cond_destroy(&h->come);
    pthread_mutex_destroy(&h->lock);
    free(h);
    loop->helpers = NULL;
}
