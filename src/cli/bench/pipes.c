/* SPDX-License-Identifier: MIT */
/* Compares kernel pipes with pipes in user memory: one thread writes, another reads. Each step of the row adds one
 * technique that is known to make pipes faster. The last steps need no kernel, or are the library's own pipes. In
 * `pipes/null` the reader does not look at the bytes; in `pipes/sum` it looks at all of them. A speed that only
 * `pipes/null` shows is of no use to a program. */
#include "bench/bench.h"
#include "bench/peer.h"
#include "bench/ring.h"
#include "bench/system.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_PIPE (64u << 10)
#define BIG_PIPE   (1u << 20)
#define HUGE       (2u << 20) /* a huge page, and the size of the writer's buffer */

enum pipes_writing {
    BY_WRITE,
    BY_VMSPLICE,
    BY_RING,
    BY_LEAT /* leat_writer_write */
};

enum pipes_reading {
    BY_READ,
    BY_SPLICE, /* to /dev/null, so nothing looks at the bytes */
    BY_PEEK,
};

static const struct step {
    const char *name;
    enum pipes_writing writing;
    enum pipes_reading reading;
    size_t pipe, block;
    bool huge, busy;
} steps[] = {
    {"write-read", BY_WRITE, BY_READ, SMALL_PIPE, SMALL_PIPE, false, false},
    {"write-read-big-pipe", BY_WRITE, BY_READ, BIG_PIPE, 256u << 10, false, false},
    {"vmsplice-read", BY_VMSPLICE, BY_READ, BIG_PIPE, 256u << 10, false, false},
    {"vmsplice-read-huge", BY_VMSPLICE, BY_READ, BIG_PIPE, 256u << 10, true, false},
    {"vmsplice-read-huge-busy", BY_VMSPLICE, BY_READ, BIG_PIPE, 256u << 10, true, true},
    {"vmsplice-splice", BY_VMSPLICE, BY_SPLICE, BIG_PIPE, 256u << 10, false, false},
    {"vmsplice-splice-huge", BY_VMSPLICE, BY_SPLICE, BIG_PIPE, 256u << 10, true, false},
    {"vmsplice-splice-huge-busy", BY_VMSPLICE, BY_SPLICE, BIG_PIPE, 256u << 10, true, true},
    {"ring", BY_RING, BY_PEEK, BIG_PIPE, 256u << 10, false, false},
    {"ring-busy", BY_RING, BY_PEEK, BIG_PIPE, 256u << 10, false, true},
    {"leat-queue", BY_LEAT, BY_PEEK, BIG_PIPE, 256u << 10, false, false},
    {"leat-kernel", BY_LEAT, BY_READ, BIG_PIPE, 256u << 10, false, false},
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* Memory for a row: buffers of the writer with small and with huge pages, the buffer of the reader, the ring. */
struct pipes_memory {
    char *small, *huge, *reader;
    unsigned char *ring;
    int no_huge; /* 0, or the errno that explains why there are no huge pages */
    bool sum;
};

/* One run, shared by both threads. */
struct pipe_run {
    struct ring ring;
    const struct step *step;
    const struct pipes_memory *memory;
    uint64_t bytes; /* to write */
    leat_writer *leat_writer;
    leat_reader *leat_reader;
    int fd[2], null;
    uint64_t read, sum;
    int code; /* result of the reader */
};

static bool again(const struct step *step)
{
    return errno == EINTR || (step->busy && errno == EAGAIN);
}

/* ---- the reader ---- */

static ssize_t take(struct pipe_run *run)
{
    const struct step *step = run->step;
    if (step->reading == BY_SPLICE)
        return system_pass(run->fd[0], run->null, step->block, !step->busy);
    ssize_t n = read(run->fd[0], run->memory->reader, step->block);
    if (n > 0 && run->memory->sum)
        run->sum += sum_bytes(run->memory->reader, (size_t)n);
    return n;
}

static void read_pipe(struct pipe_run *run)
{
    for (;;) {
        ssize_t n = take(run);
        if (n == 0)
            break;
        if (n < 0 && !again(run->step)) {
            run->code = -errno;
            break;
        }
        run->read += n > 0 ? (uint64_t)n : 0;
    }
    close(run->fd[0]); /* a waiting writer gets EPIPE */
}

static void read_ring(struct pipe_run *run)
{
    const void *bytes;
    size_t n;
    while ((n = ring_peek(&run->ring, &bytes)) > 0) {
        n = n < run->step->block ? n : run->step->block;
        if (run->memory->sum)
            run->sum += sum_bytes(bytes, n);
        run->read += n;
        ring_consume(&run->ring, n);
    }
}

/* Takes the next bytes, in place or copied out. *ret_n == 0: the end. */
static int take_leat(struct pipe_run *run, const void **ret, size_t *ret_n)
{
    if (run->step->reading == BY_PEEK)
        return leat_reader_peek(run->leat_reader, ret, ret_n, -1);
    *ret = run->memory->reader;
    return leat_reader_read(run->leat_reader, run->memory->reader, run->step->block, ret_n, -1);
}

static void read_leat(struct pipe_run *run)
{
    const void *bytes;
    size_t n;
    while ((run->code = take_leat(run, &bytes, &n)) == 0 && n > 0) {
        if (run->memory->sum)
            run->sum += sum_bytes(bytes, n);
        run->read += n;
        if (run->step->reading == BY_PEEK)
            leat_reader_consume(run->leat_reader, n);
    }
    leat_reader_close(run->leat_reader);
}

static void *reader(void *user)
{
    struct pipe_run *run = user;
    if (run->step->writing == BY_RING)
        read_ring(run);
    else if (run->step->writing == BY_LEAT)
        read_leat(run);
    else
        read_pipe(run);
    return NULL;
}

/* ---- the writer ---- */

static ssize_t put(struct pipe_run *run, const char *bytes, size_t n)
{
    const struct step *step = run->step;
    if (step->writing == BY_VMSPLICE)
        return system_give(run->fd[1], bytes, n, !step->busy);
    if (step->writing == BY_WRITE)
        return write(run->fd[1], bytes, n);
    if (step->writing == BY_LEAT) {
        errno = -leat_writer_write(run->leat_writer, bytes, n, NULL, -1);
        return errno ? -1 : (ssize_t)n;
    }
    ring_write(&run->ring, bytes, n);
    return (ssize_t)n;
}

static int writer(struct pipe_run *run)
{
    const char *bytes = run->step->huge ? run->memory->huge : run->memory->small;
    uint64_t done = 0;
    while (done < run->bytes && !stop_asked()) {
        size_t at = (size_t)(done % HUGE), n = run->step->block;
        n = n < HUGE - at ? n : HUGE - at;
        n = n < run->bytes - done ? n : (size_t)(run->bytes - done);
        ssize_t put_now = put(run, bytes + at, n);
        if (put_now < 0 && !again(run->step))
            return -errno;
        done += put_now > 0 ? (uint64_t)put_now : 0;
    }
    return 0;
}

static void end_writing(struct pipe_run *run)
{
    if (run->step->writing == BY_RING)
        ring_end(&run->ring);
    else if (run->step->writing == BY_LEAT) {
        leat_writer_finish(run->leat_writer, -1);
        leat_writer_close(run->leat_writer);
    } else
        close(run->fd[1]);
}

/* ---- one run ---- */

static int open_leat(struct pipe_run *run, char reason[REASON])
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.backend = run->step->reading == BY_PEEK ? LEAT_PIPE_QUEUE : LEAT_PIPE_KERNEL;
    options.memory_limit = run->step->pipe;
    int r = leat_pipe_open(&run->leat_writer, &run->leat_reader, &options, &error);
    if (r < 0)
        snprintf(reason, REASON, "%s", error.text);
    return r;
}

/* Closes the reading end of a run whose reader could not be started. */
static void leave(struct pipe_run *run)
{
    if (run->step->writing == BY_LEAT)
        leat_reader_close(run->leat_reader);
    else if (run->step->writing != BY_RING)
        close(run->fd[0]);
}

/* Opens the pipe of a step. A pipe that stays smaller than asked would be another step, so that is a failure. */
static int open_pipe(struct pipe_run *run, char reason[REASON])
{
    const struct step *step = run->step;
    if (step->writing == BY_RING) {
        run->ring = (struct ring){.bytes = run->memory->ring, .size = step->pipe, .spins = step->busy};
        return 0;
    }
    if (step->writing == BY_LEAT)
        return open_leat(run, reason);
    if (pipe(run->fd) < 0)
        return -errno;
    int size = system_pipe_size(run->fd[1], step->pipe);
    for (int i = 0; i < 2; i++) {
        fcntl(run->fd[i], F_SETFD, FD_CLOEXEC);
        if (step->busy)
            fcntl(run->fd[i], F_SETFL, O_NONBLOCK);
    }
    if (size == (int)step->pipe || (size < 0 && step->pipe == SMALL_PIPE))
        return 0;
    if (size >= 0)
        snprintf(reason, REASON, "a pipe may not be larger than %d bytes here", size);
    close(run->fd[0]);
    close(run->fd[1]);
    return size < 0 ? size : -EPERM;
}

static int go(struct pipe_run *run, struct sample *ret)
{
    pthread_t thread;
    double cpu = cpu_seconds(), began = clock_seconds();
    int r = peer_thread(&thread, reader, run);
    if (r < 0) {
        end_writing(run);
        leave(run);
        return r;
    }
    r = writer(run);
    end_writing(run);
    pthread_join(thread, NULL);
    *ret = (struct sample){.seconds = clock_seconds() - began, .cpu_seconds = cpu_seconds() - cpu, .bytes = run->bytes};
    if (run->code < 0)
        return run->code;
    return r < 0 || run->read == run->bytes || stop_asked() ? r : -EIO;
}

static int run_step(struct row *row, struct contender *c, struct sample *ret)
{
    const struct pipes_memory *memory = row->user;
    struct pipe_run run = {.step = c->how, .memory = memory, .bytes = row->bytes, .fd = {-1, -1}};
    if (run.step->huge && memory->no_huge) {
        snprintf(c->reason, REASON, "no huge pages: %s", strerror(-memory->no_huge));
        return memory->no_huge;
    }
    run.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int r = run.null < 0 ? -errno : open_pipe(&run, c->reason);
    if (r == 0)
        r = go(&run, ret);
    if (run.null >= 0)
        close(run.null);
    return r;
}

/* ---- both rows ---- */

/* Fills the pages, because pages that were never written to are all the same page. */
static char *pages(bool huge, int *ret_code)
{
    void *bytes = NULL;
    if (posix_memalign(&bytes, HUGE, HUGE) != 0) {
        *ret_code = -ENOMEM;
        return NULL;
    }
    *ret_code = system_huge(bytes, HUGE, huge);
    memset(bytes, 'l', HUGE);
    return bytes;
}

static void free_memory(struct pipes_memory *m)
{
    free(m->small);
    free(m->huge);
    free(m->reader);
    free(m->ring);
}

static int get_memory(struct pipes_memory *m)
{
    int small_pages; /* ignored: a system without huge pages need not take the advice against them */
    m->small = pages(false, &small_pages);
    m->huge = pages(true, &m->no_huge);
    m->reader = pages(false, &small_pages);
    m->ring = malloc(BIG_PIPE);
    if (m->ring)
        memset(m->ring, 0, BIG_PIPE);
    return m->small && m->huge && m->reader && m->ring ? 0 : -ENOMEM;
}

static int measure(const char *name, struct pipes_memory *memory, const struct bench_options *o)
{
    char size[32];
    struct row *row = row_new(name, o, memory, run_step);
    if (!row)
        return -ENOMEM;
    snprintf(row->title, sizeof(row->title), "between two threads, %s, %s",
             memory->sum ? "the reader looks at every byte" : "nobody looks at the bytes", size_text(o->size, size));
    for (size_t i = 0; i < STEPS; i++) {
        if (memory->sum && steps[i].reading == BY_SPLICE)
            continue;
        struct contender *c = row_add(row, steps[i].name, steps[i].busy ? "busy" : "threads", steps[i].block);
        if (c)
            c->how = &steps[i];
    }
    int code = row_measure(row, o);
    row_free(row);
    return code;
}

int bench_pipes(const struct bench_options *o)
{
    struct pipes_memory memory = {0};
    int r = 0;
    if (!row_wanted("pipes/null", o->only) && !row_wanted("pipes/sum", o->only))
        return 0;
    r = get_memory(&memory);
    if (r == 0 && row_wanted("pipes/null", o->only))
        r = measure("pipes/null", &memory, o);
    memory.sum = true;
    if (r == 0 && !stop_asked() && row_wanted("pipes/sum", o->only))
        r = measure("pipes/sum", &memory, o);
    free_memory(&memory);
    if (r < 0)
        cli_warn("bench: %s", strerror(-r));
    return r < 0 ? EXIT_FAILED : r;
}
