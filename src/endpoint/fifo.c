/* A FIFO opened for writing, without blocking the caller.
 *
 * The opener owns a thread that sits in open(2). It is done exactly once: the thread stores the result and writes a
 * byte to `done`, whose reading end is what the engine polls. To release a thread for which no reader comes, the
 * canceller becomes that reader for a moment. A thread that has not come out by then, because the machine has not let
 * it run, is left behind with that reader (`reader`), so that it comes out whenever it runs. If the canceller may not
 * read the FIFO, or another one has its name by now, the thread is left behind until another reader comes; it then
 * closes what it opened (`left`) and frees the opener. One that finds itself left before it opens does not open. */
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
    int result; /* a descriptor or -errno */
    int reader; /* of a thread that was left */
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
    if (fd >= 0) /* a description of our own: its flags are ours to set */
        fcntl(fd, F_SETFL, O_NONBLOCK);
    pthread_mutex_lock(&opener->lock);
    left = opener->left;
    opener->result = fd;
    opener->opened = true;
    if (!left) {
        ssize_t n = write(opener->done[1], "", 1);
        (void)n;
    }
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
        /* A reader that is there already needs no thread. */
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

/* The thread comes out of open(2) soon, unless it sits in another FIFO than the one that we read. */
static void let_it_out(struct fifo_opener *opener)
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
        let_it_out(opener);
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
