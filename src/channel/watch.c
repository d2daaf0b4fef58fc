/* SPDX-License-Identifier: MIT */
/* Tells event loops of crashed peers. A peer that is killed tells nothing, but the kernel closes its open file of the
 * memory, and inotify tells of that. One thread of the process sleeps until it does, for all channels with a poll
 * descriptor. Then it looks for crashed peers of that channel, buries them, which wakes all peers, and makes event
 * loops look once. The thread exists as long as a handle is watched. It blocks all signals. It looks several times
 * after each close (watch_steps.h).
 *
 * Order of locks: the list of fork.c, `lock`, the mutex of a channel. */
#include "base/fd.h"
#include "base/thread.h"
#include "channel/channel.h"
#include "channel/watch_steps.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

struct watcher {
    pthread_t thread;
    int closings;
    int stop[2]; /* A pipe; a byte in it ends the thread. */
    struct watcher *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards all that follows, and `watched` of each handle. */
static leat_channel *watched;
static struct watcher *watcher;
static struct watcher *ending; /* Watchers that are not needed any more, until their threads have ended. */

/* What is new for a handle since the last look? Either a peer has crashed; or peers have come or gone, and a peer that
 * was killed in the middle of that may have told no other peer. */
static void bury_and_poke(leat_channel *c)
{
    const struct channel_limit now = {.now = true};
    atomic_store(&c->looked_ns, 0);
    peers_bury_crashed(c, &now);
    uint32_t changes = atomic_load(&c->head->changes);
    if (changes != c->changes || atomic_load(&c->head->corrupt))
        wait_poke(c);
    c->changes = changes;
}

static void look_at_suspects(void)
{
    pthread_mutex_lock(&lock);
    for (leat_channel *c = watched; c; c = c->watched)
        if (c->suspect)
            bury_and_poke(c);
    pthread_mutex_unlock(&lock);
}

static void mark_suspects(int number)
{
    for (leat_channel *c = watched; c; c = c->watched)
        c->suspect = c->suspect || number < 0 || number == c->watch_number;
}

/* True: there was at least one event. */
static bool read_closings(int fd)
{
    int numbers[32], n;
    bool any = false;
    pthread_mutex_lock(&lock);
    while ((n = platform.sharing->closings_next(fd, numbers, COUNT(numbers))) > 0) {
        for (int i = 0; i < n; i++)
            mark_suspects(numbers[i]);
        any = true;
    }
    pthread_mutex_unlock(&lock);
    return any;
}

static void forget_suspects(void)
{
    pthread_mutex_lock(&lock);
    for (leat_channel *c = watched; c; c = c->watched)
        c->suspect = false;
    pthread_mutex_unlock(&lock);
}

static void *watch(void *user)
{
    const struct watcher *w = user;
    struct pollfd ports[2] = {{.fd = w->closings, .events = POLLIN}, {.fd = w->stop[0], .events = POLLIN}};
    struct watch_steps steps = {WATCH_STEPS};
    for (;;) {
        ports[0].fd = watch_steps_hears(&steps) ? w->closings : -1;
        int n = poll(ports, 2, watch_steps_wait(&steps));
        if ((n < 0 && errno != EINTR) || (n > 0 && ports[1].revents))
            return NULL;
        if (n > 0 && read_closings(w->closings))
            watch_steps_heard(&steps);
        else if (n == 0) {
            look_at_suspects();
            if (watch_steps_looked(&steps))
                forget_suspects();
        }
    }
}

static void watcher_free(struct watcher *w)
{
    if (!w)
        return;
    fd_close(w->closings);
    fd_close(w->stop[0]);
    fd_close(w->stop[1]);
    free(w);
}

static int watcher_start(struct watcher *w)
{
    w->closings = platform.sharing->closings();
    int r = w->closings < 0 ? w->closings : fd_pipe(w->stop);
    if (r < 0)
        return r;
    return thread_create(&w->thread, watch, w);
}

/* Needs `lock`. */
static int watcher_make(void)
{
    struct watcher *w = malloc(sizeof(*w));
    if (!w)
        return -ENOMEM;
    *w = (struct watcher){.closings = -1, .stop = {-1, -1}};
    int r = watcher_start(w);
    if (r < 0)
        watcher_free(w);
    else
        watcher = w;
    return r;
}

/* Needs `lock`. Gives the watcher if no handle needs it any more. The caller ends it without the lock. */
static struct watcher *watcher_unneeded(void)
{
    struct watcher *w = watched ? NULL : watcher;
    if (w) {
        watcher = NULL;
        w->next = ending;
        ending = w;
    }
    return w;
}

static void watcher_end(struct watcher *w)
{
    if (!w)
        return;
    fd_wake(w->stop[1]);
    pthread_join(w->thread, NULL);
    pthread_mutex_lock(&lock);
    for (struct watcher **at = &ending; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    watcher_free(w); /* Under the lock, so that no child inherits its descriptors. */
    pthread_mutex_unlock(&lock);
}

/* Needs `lock`. */
static int add(leat_channel *c)
{
    int r = watcher ? 0 : watcher_make();
    if (r == 0)
        r = platform.sharing->closings_add(watcher->closings, c->fd);
    if (r < 0)
        return r;
    c->watch_number = r;
    c->changes = atomic_load(&c->head->changes);
    c->suspect = false;
    c->watched = watched;
    watched = c;
    return 0;
}

/* Needs `lock`. */
static void take_away(leat_channel *c)
{
    bool shared = false;
    for (leat_channel **at = &watched; *at;)
        if (*at == c)
            *at = c->watched;
        else {
            shared = shared || (*at)->watch_number == c->watch_number;
            at = &(*at)->watched;
        }
    if (!shared)
        platform.sharing->closings_remove(watcher->closings, c->watch_number);
    c->watch_number = -1;
}

int watch_start(leat_channel *c)
{
    pthread_mutex_lock(&lock);
    int r = c->watch_number >= 0 ? 0 : add(c);
    c->watch_for += r == 0;
    struct watcher *unneeded = watcher_unneeded();
    pthread_mutex_unlock(&lock);
    watcher_end(unneeded);
    return r;
}

static void leave(leat_channel *c, unsigned n)
{
    pthread_mutex_lock(&lock);
    c->watch_for -= MIN(n, c->watch_for);
    if (c->watch_for == 0 && c->watch_number >= 0)
        take_away(c);
    struct watcher *unneeded = watcher_unneeded();
    pthread_mutex_unlock(&lock);
    watcher_end(unneeded);
}

void watch_drop(leat_channel *c)
{
    leave(c, 1);
}

void watch_stop(leat_channel *c)
{
    leave(c, UINT_MAX);
}

void watch_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void watch_in_parent(void)
{
    pthread_mutex_unlock(&lock);
}

/* The thread and the descriptors that it watches belong to the parent. */
void watch_in_child(void)
{
    for (leat_channel *c = watched; c; c = c->watched) {
        c->watch_number = -1;
        c->watch_for = 0;
    }
    watched = NULL;
    watcher_free(watcher);
    watcher = NULL;
    for (struct watcher *w; (w = ending);) {
        ending = w->next;
        watcher_free(w);
    }
    pthread_mutex_unlock(&lock);
}
