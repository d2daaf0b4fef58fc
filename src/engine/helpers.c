/* The helpers of a loop: threads that make the calls of ops with OP_ASYNC, one call at a time each, so that several
 * reads and writes of files are under way at once where the engine itself has no such queue.
 *
 * Who owns what: an op is the helper's from helpers_submit until it stands in the list of those that are over, from
 * which the loop's thread takes it. Both lists belong to the lock. A thread is started when an op finds none idle, up
 * to a bound; what is more waits its turn. No wake-up is lost: an op is in the list before the loop is woken, and the
 * loop looks at the list after it has announced that it sleeps. */
#include "base/thread.h"
#include "engine/engine.h"

#define HELPERS_MAX 16

struct helpers {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t come; /* an op was submitted, or they are to quit */
    struct op *first, **last;
    struct op *over;
    size_t idle;
    size_t submitted; /* and not yet taken by a thread */
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
    h->loop = loop;
    h->last = &h->first;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->come, NULL);
    return loop->helpers = h;
}

/* Without memory, or a thread, it is made here and now. */
void helpers_submit(struct loop *loop, struct op *op)
{
    struct helpers *h = helpers_of(loop);
    if (!h) {
        loop_done_async(op->task, op, op_perform(op));
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
        loop_done_async(op->task, op, result);
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
        loop_done_async(op->task, op, op->result);
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
