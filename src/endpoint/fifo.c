/* SPDX-License-Identifier: MIT */
/* A FIFO opened for writing, without blocking the caller.
 *
 * The opener owns a thread that sits in open(2). Exactly once the thread stores its result and writes a byte to `done`;
 * the engine polls the reading end of `done`. If no reader comes, fifo_cancel opens the FIFO for reading for a moment,
 * which releases the thread. The machine may not have run the thread by the deadline. Then the thread is left behind
 * together with that reader (`reader`), so that it returns from open(2) whenever it runs. If fifo_cancel may not read
 * the FIFO, or another FIFO has the name by now, the thread is left behind until another reader comes. A thread that
 * was left behind (`left`) closes what it has opened and frees the opener. If it sees `left` before it opens, it does
 * not open. */
#include "endpoint/fifo.h"
#include "base/fd.h"
#include "base/identity.h"
#include "base/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define LET_OUT_MS 500

struct fifo_opener {
    pthread_mutex_t lock;
    pthread_t thread;
    char *path;
    int done[2];
    int result; /* A descriptor or a negative errno. */
    int reader; /* Open while a thread that was left behind needs it. */
    struct identity fifo;
    bool opened, left;
};

static struct fifo_opener *opener_free(struct fifo_opener *opener)
{
    fd_close(opener->done[0]);
    fd_close(opener->done[1]);
    fd_close(opener->reader);
    free(opener->path);
    pthread_mutex_destroy(&opener->lock);
    free(opener);
    return NULL;
}

static void *open_and_tell(void *user)
{
    struct fifo_opener *opener = user;
    pthread_mutex_lock(&opener->lock);
    bool left = opener->left;
    pthread_mutex_unlock(&opener->lock);
    int fd = left ? -ECANCELED : fd_open(opener->path, O_WRONLY, 0);
    if (fd >= 0) /* The open file description is our own, so its flags are ours to set. */
        fcntl(fd, F_SETFL, O_NONBLOCK);
    pthread_mutex_lock(&opener->lock);
    left = opener->left;
    opener->result = fd;
    opener->opened = true;
    if (!left)
        fd_wake(opener->done[1]);
    pthread_mutex_unlock(&opener->lock);
    if (left) {
        fd_close(fd);
        opener_free(opener);
    }
    return NULL;
}

static int start(struct fifo_opener **ret, const char *path, struct port *port)
{
    struct fifo_opener *opener = calloc(1, sizeof(*opener));
    if (!opener)
        return -ENOMEM;
    opener->done[0] = opener->done[1] = opener->reader = -1;
    pthread_mutex_init(&opener->lock, NULL);
    opener->path = strdup(path);
    int r = opener->path ? fd_pipe(opener->done) : -ENOMEM;
    if (r == 0)
        r = identity_of_path(&opener->fifo, opener->path);
    if (r == 0)
        r = thread_create(&opener->thread, open_and_tell, opener);
    if (r < 0) {
        opener_free(opener);
        return r;
    }
    port_init(port, opener->done[0], POLLIN);
    port->blocked = true;
    *ret = opener;
    return -EAGAIN;
}

int fifo_open(struct fifo_opener **opener, const char *path, struct port *port)
{
    if (!*opener) {
        /* If a reader is there already, no thread is needed. */
        int fd = fd_open(path, O_WRONLY | O_NONBLOCK, 0);
        return fd == -ENXIO ? start(opener, path, port) : fd;
    }
    pthread_mutex_lock(&(*opener)->lock);
    bool opened = (*opener)->opened;
    pthread_mutex_unlock(&(*opener)->lock);
    if (!opened) {
        port->blocked = true;
        return -EAGAIN;
    }
    pthread_join((*opener)->thread, NULL);
    int fd = (*opener)->result;
    *opener = opener_free(*opener);
    return fd;
}

/* Waits until the thread has returned from open(2). That is soon, unless it sits in another FIFO than the one that we
 * read. */
static void wait_for_thread(struct fifo_opener *opener)
{
    struct pollfd done = {.fd = opener->done[0], .events = POLLIN};
    while (poll(&done, 1, LET_OUT_MS) < 0 && errno == EINTR)
        ;
}

static bool is_that_fifo(const struct fifo_opener *opener, int reader)
{
    struct identity identity;
    return reader >= 0 && identity_of_fd(&identity, reader) == 0 && identity_is_same(&identity, &opener->fifo);
}

struct fifo_opener *fifo_cancel(struct fifo_opener *opener)
{
    if (!opener)
        return NULL;
    int reader CLEANUP_FD = fd_open(opener->path, O_RDONLY | O_NONBLOCK, 0);
    if (reader >= 0)
        wait_for_thread(opener);
    pthread_mutex_lock(&opener->lock);
    opener->left = !opener->opened;
    bool left = opener->left;
    if (left) {
        pthread_detach(opener->thread);
        if (is_that_fifo(opener, reader)) {
            opener->reader = reader;
            reader = -1;
        }
    }
    pthread_mutex_unlock(&opener->lock);
    if (left)
        return NULL;
    pthread_join(opener->thread, NULL);
    fd_close(opener->result);
    return opener_free(opener);
}
