/* SPDX-License-Identifier: MIT */
/* One thread writes lines and another one reads them: pipe_threads LINES. The pipe between them has bounded memory, and
 * its digest filter sees every byte. */
#include <leat/leat.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct producer {
    leat_writer *writer;
    unsigned lines;
    int result;
};

/* If the reader has closed its end, writing fails with -EPIPE. Any other failure is passed on to the reader. */
static void *produce(void *user)
{
    struct producer *p = user;
    char line[64];
    int r = 0;
    for (unsigned i = 0; i < p->lines && r == 0; i++) {
        int n = snprintf(line, sizeof(line), "line %u\n", i);
        r = leat_writer_write(p->writer, line, (size_t)n, NULL, -1); /* waits while the pipe is full */
    }
    if (r == 0)
        r = leat_writer_finish(p->writer, -1);
    else
        leat_writer_fail(p->writer, r);
    p->result = r;
    return NULL;
}

static int consume(leat_reader *reader, unsigned *lines)
{
    char line[64];
    size_t n;
    int r;
    while ((r = leat_reader_read_line(reader, line, sizeof(line), &n, -1)) == 0 && n > 0)
        ++*lines;
    return r; /* 0: the writer finished without a failure */
}

static int run(unsigned lines, leat_filter *digest)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    struct producer producer = {.lines = lines};
    leat_reader *reader;
    pthread_t thread;
    unsigned got = 0;

    options.memory_limit = 64 * 1024;
    options.filters = &digest;
    options.filter_count = 1;
    int r = leat_pipe_open(&producer.writer, &reader, &options, &error);
    if (r < 0) {
        fprintf(stderr, "pipe_threads: %s\n", error.text);
        return r;
    }
    r = -pthread_create(&thread, NULL, produce, &producer);
    if (r == 0) {
        r = consume(reader, &got);
        pthread_join(thread, NULL);
    }
    leat_writer_close(producer.writer);
    leat_reader_close(reader);
    printf("%u lines\n", got);
    return r;
}

int main(int argc, char **argv)
{
    char hex[LEAT_DIGEST_HEX_MAX];
    leat_filter *digest;
    if (argc != 2) {
        fprintf(stderr, "usage: pipe_threads LINES\n");
        return 2;
    }
    int r = leat_filter_digest(&digest, "sha256", NULL, NULL);
    if (r == 0) {
        r = run((unsigned)strtoul(argv[1], NULL, 10), leat_filter_ref(digest)); /* the pipe takes one reference */
        if (r == 0 && (r = leat_filter_digest_hex(digest, "sha256", hex, sizeof(hex))) == 0)
            printf("sha256 %s\n", hex);
        leat_filter_free(digest);
    }
    if (r < 0)
        fprintf(stderr, "pipe_threads: %s\n", strerror(-r));
    return r < 0;
}
