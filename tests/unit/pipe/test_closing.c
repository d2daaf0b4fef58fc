/* SPDX-License-Identifier: MIT */
/* emscripten: it has no signals
 * Both ends are closed at once: no SIGPIPE, wherever between looking and writing the reader leaves. write(2) is ours
 * here, and takes its time. */
#include "pipe/pipe.h"
#include "unit/pipe/pipes.h"
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define PATIENCE_MS 300 /* for a reader that may be waiting for this very call */

static atomic_int slow_fd = -1;
static sem_t writing, reader_has_left;
static volatile sig_atomic_t caught;

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fd == atomic_load(&slow_fd)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PATIENCE_MS * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        sem_post(&writing);
        sem_timedwait(&reader_has_left, &until);
    }
    return syscall(SYS_write, fd, bytes, n);
}

static void count(int number UNUSED)
{
    caught++;
}

/* The descriptor of the pipe that was opened last is the writing end; nothing is lent by looking. */
static int writing_end(struct ends e)
{
    return e.w->pipe->kernel.fd[1];
}

static void *close_writer(void *user)
{
    leat_writer_close(((struct ends *)user)->w);
    return NULL;
}

static void *write_some(void *user)
{
    size_t done;
    leat_writer_write(((struct ends *)user)->w, "more", 4, &done, SOON);
    return NULL;
}

static void *close_reader(void *user)
{
    sem_wait(&writing);
    leat_reader_close(((struct ends *)user)->r);
    sem_post(&reader_has_left);
    return NULL;
}

static void begin(void)
{
    struct sigaction action = {.sa_handler = count};
    assert_int_equal(sigaction(SIGPIPE, &action, NULL), 0);
    sem_init(&writing, 0, 0);
    sem_init(&reader_has_left, 0, 0);
    caught = 0;
}

static void end(pthread_t *thread, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    atomic_store(&slow_fd, -1);
    sem_destroy(&writing);
    sem_destroy(&reader_has_left);
    assert_int_equal(caught, 0);
}

/* What rests in the chain is written by the close, when the write turn can't be had any more. */
static void the_reader_leaves_while_the_writer_finishes(void **state UNUSED)
{
    struct doubler d = {.frees = 0};
    leat_filter *filter = doubler(&d);
    struct ends e = open_with(LEAT_PIPE_KERNEL, 0, 0, &filter, 1);
    pthread_t thread[2];
    begin();
    puts_text(e.w, "some");
    atomic_store(&slow_fd, writing_end(e));
    pthread_create(&thread[0], NULL, close_reader, &e);
    pthread_create(&thread[1], NULL, close_writer, &e);
    end(thread, 2);
}

/* A call is under way when the writer is closed: the reader is refused the turn, but the call is not over. */
static void the_reader_leaves_during_the_last_call(void **state UNUSED)
{
    struct ends e = open_pipe(LEAT_PIPE_KERNEL, 0);
    pthread_t thread[3];
    begin();
    atomic_store(&slow_fd, writing_end(e));
    pthread_create(&thread[0], NULL, write_some, &e);
    sem_wait(&writing);
    sem_post(&writing);
    pthread_create(&thread[1], NULL, close_writer, &e);
    usleep(50000); /* it has closed its turn; if not, there is nothing to see */
    pthread_create(&thread[2], NULL, close_reader, &e);
    end(thread, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_leaves_while_the_writer_finishes),
        cmocka_unit_test(the_reader_leaves_during_the_last_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
