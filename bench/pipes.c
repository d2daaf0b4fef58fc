/* SPDX-License-Identifier: MIT */
/* pipes WAY BLOCK BYTES: BYTES go from one thread to another, written in blocks of BLOCK bytes, read in blocks of the
 * same size, at least 64 KiB. A pipe holds 1 MiB, whatever it is made of.
 *
 *   queue         libleat, in memory, by leat_writer_write and leat_reader_read
 *   peek          the same by reserve and commit, peek and consume
 *   queue-sha256  as queue, with a digest in between
 *   kernel        libleat, a pipe of the kernel, by leat_writer_write and leat_reader_read
 *   kernel-give   the same by reserve and commit, and leat_reader_read
 *   ring          a bare ring in memory, which sleeps by a futex
 *   ring-busy     and never sleeps
 *   write         a bare pipe, write and read
 *   vmsplice      a bare pipe, vmsplice from two buffers in turn, and read
 *   sha256        one thread, libcrypto alone; nothing is moved
 *
 * Every byte is touched on both sides: the writer copies it out of a buffer of its own, the reader adds it up, where it
 * is or in a buffer that it was copied to. */
#include "bench/ring.h"
#include "tool.h"
#include <fcntl.h>
#include <leat/leat.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#define HOLDS    (1u << 20)
#define READS    (64u << 10)
#define TOGETHER "pipes queue|peek|queue-sha256|kernel|kernel-give|ring|ring-busy|write|vmsplice|sha256 BLOCK BYTES"

struct run {
    size_t block, reads;
    uint64_t bytes; /* to be written */
    char *from, *to;
    leat_writer *writer;
    leat_reader *reader;
    struct ring ring;
    int fd[2];
    uint64_t arrived, sum;
};

struct way {
    const char *name;
    void (*open)(struct run *run);
    void (*write)(struct run *run); /* all of it, and the end */
    void (*read)(struct run *run);  /* NULL: nobody does */
};

static void touch(struct run *run, const void *bytes, size_t n)
{
    const char *at = bytes;
    uint64_t sum = 0, word;
    run->arrived += n;
    for (; n >= sizeof(word); at += sizeof(word), n -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sum += word;
    }
    while (n-- > 0)
        sum += (unsigned char)*at++;
    run->sum += sum;
}

static void must(int code, const char *what)
{
    if (code == 0)
        return;
    errno = -code;
    tool_fail(what);
}

/* ---- libleat ---- */

static void open_leat(struct run *run, int32_t backend, leat_filter *filter)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.backend = backend;
    options.memory_limit = HOLDS;
    options.filters = &filter;
    options.filter_count = filter != NULL;
    must(leat_pipe_open(&run->writer, &run->reader, &options, NULL), "leat_pipe_open");
}

static void open_queue(struct run *run)
{
    open_leat(run, LEAT_PIPE_QUEUE, NULL);
}

static void open_kernel(struct run *run)
{
    open_leat(run, LEAT_PIPE_KERNEL, NULL);
}

static void open_digest(struct run *run)
{
    leat_filter *filter;
    must(leat_filter_digest(&filter, "sha256", NULL, NULL), "leat_filter_digest");
    open_leat(run, LEAT_PIPE_QUEUE, filter);
}

static void end_leat(struct run *run)
{
    must(leat_writer_finish(run->writer, -1), "leat_writer_finish");
    leat_writer_close(run->writer);
}

static void leat_writes(struct run *run)
{
    for (uint64_t left = run->bytes; left > 0; left -= run->block)
        must(leat_writer_write(run->writer, run->from, run->block, NULL, -1), "leat_writer_write");
    end_leat(run);
}

static void leat_fills(struct run *run)
{
    for (uint64_t left = run->bytes; left > 0;) {
        void *room;
        size_t n;
        must(leat_writer_reserve(run->writer, 0, &room, &n, -1), "leat_writer_reserve");
        n = n < run->block ? n : run->block;
        n = n < left ? n : (size_t)left;
        memcpy(room, run->from, n);
        must(leat_writer_commit(run->writer, n, -1), "leat_writer_commit");
        left -= n;
    }
    end_leat(run);
}

static void leat_reads(struct run *run)
{
    size_t n;
    int r;
    while ((r = leat_reader_read(run->reader, run->to, run->reads, &n, -1)) == 0 && n > 0)
        touch(run, run->to, n);
    must(r, "leat_reader_read");
    leat_reader_close(run->reader);
}

static void leat_peeks(struct run *run)
{
    const void *bytes;
    size_t n;
    int r;
    while ((r = leat_reader_peek(run->reader, &bytes, &n, -1)) == 0 && n > 0) {
        touch(run, bytes, n);
        must(leat_reader_consume(run->reader, n), "leat_reader_consume");
    }
    must(r, "leat_reader_peek");
    leat_reader_close(run->reader);
}

/* ---- a ring ---- */

static void open_ring(struct run *run)
{
    run->ring = (struct ring){.bytes = tool_buffer(HOLDS), .size = HOLDS};
}

static void open_busy_ring(struct run *run)
{
    open_ring(run);
    run->ring.spins = true;
}

static void ring_writes(struct run *run)
{
    for (uint64_t left = run->bytes; left > 0; left -= run->block)
        ring_write(&run->ring, run->from, run->block);
    ring_end(&run->ring);
}

static void ring_reads(struct run *run)
{
    const void *bytes;
    size_t n;
    while ((n = ring_peek(&run->ring, &bytes)) > 0) {
        n = n < run->reads ? n : run->reads;
        memcpy(run->to, bytes, n);
        ring_consume(&run->ring, n);
        touch(run, run->to, n);
    }
    free(run->ring.bytes);
}

/* ---- a bare pipe ---- */

static void open_pipe(struct run *run)
{
    if (pipe2(run->fd, O_CLOEXEC) < 0 || fcntl(run->fd[1], F_SETPIPE_SZ, HOLDS) < 0)
        tool_fail("pipe");
}

static void pipe_writes(struct run *run)
{
    for (uint64_t left = run->bytes; left > 0; left -= run->block)
        if (write(run->fd[1], run->from, run->block) != (ssize_t)run->block)
            tool_fail("write");
    close(run->fd[1]);
}

/* Each buffer is as large as the pipe: when a part of one of them is in the pipe as a whole, the same part of the other
 * one has been read. */
static void pipe_gives(struct run *run)
{
    char *buffers = tool_buffer((size_t)2 * HOLDS);
    for (uint64_t done = 0; done < run->bytes;) {
        struct iovec part = {.iov_base = buffers + done % (2 * HOLDS), .iov_len = run->block};
        memcpy(part.iov_base, run->from, run->block);
        while (part.iov_len > 0) {
            ssize_t n = vmsplice(run->fd[1], &part, 1, 0);
            if (n < 0)
                tool_fail("vmsplice");
            part = (struct iovec){.iov_base = (char *)part.iov_base + n, .iov_len = part.iov_len - (size_t)n};
        }
        done += run->block;
    }
    close(run->fd[1]); /* the pages that are still in the pipe live as long as they are there */
    free(buffers);
}

static void pipe_reads(struct run *run)
{
    ssize_t n;
    while ((n = read(run->fd[0], run->to, run->reads)) > 0)
        touch(run, run->to, (size_t)n);
    if (n < 0)
        tool_fail("read");
    close(run->fd[0]);
}

/* ---- libcrypto ---- */

static void open_nothing(struct run *run)
{
    (void)run;
}

static void hashes(struct run *run)
{
    unsigned char digest[32];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        tool_usage("libcrypto with sha256");
    for (uint64_t left = run->bytes; left > 0; left -= run->block)
        EVP_DigestUpdate(context, run->from, run->block);
    EVP_DigestFinal_ex(context, digest, NULL);
    EVP_MD_CTX_free(context);
    touch(run, digest, sizeof(digest));
}

/* ---- one of them ---- */

static const struct way ways[] = {
    {"queue", open_queue, leat_writes, leat_reads},         {"peek", open_queue, leat_fills, leat_peeks},
    {"queue-sha256", open_digest, leat_writes, leat_reads}, {"kernel", open_kernel, leat_writes, leat_reads},
    {"kernel-give", open_kernel, leat_fills, leat_reads},   {"ring", open_ring, ring_writes, ring_reads},
    {"ring-busy", open_busy_ring, ring_writes, ring_reads}, {"write", open_pipe, pipe_writes, pipe_reads},
    {"vmsplice", open_pipe, pipe_gives, pipe_reads},        {"sha256", open_nothing, hashes, NULL},
};

static const struct way *find(const char *name)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    tool_usage(TOGETHER);
}

struct reading {
    struct run *run;
    const struct way *way;
};

static void *reads(void *user)
{
    struct reading *reading = user;
    reading->way->read(reading->run);
    return NULL;
}

static void go(struct run *run, const struct way *way)
{
    struct reading reading = {.run = run, .way = way};
    pthread_t thread;
    way->open(run);
    if (!way->read) {
        way->write(run);
        return;
    }
    if (pthread_create(&thread, NULL, reads, &reading) != 0)
        tool_fail("thread");
    way->write(run);
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        tool_usage(TOGETHER);
    const struct way *way = find(argv[1]);
    struct run run = {.block = (size_t)tool_number(argv[2]), .bytes = tool_number(argv[3])};
    if (run.block == 0 || HOLDS % run.block != 0 || run.bytes % run.block != 0)
        tool_usage("pipes: BLOCK divides 1 MiB and BYTES");
    run.reads = run.block > READS ? run.block : READS;
    run.from = tool_buffer(run.block);
    run.to = tool_buffer(run.reads);
    go(&run, way);
    free(run.from);
    free(run.to);
    if (run.sum > 0 && (run.arrived == run.bytes || !way->read))
        return 0;
    fprintf(stderr, "pipes: %llu bytes arrived\n", (unsigned long long)run.arrived);
    return 1;
}
