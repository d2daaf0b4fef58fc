/* SPDX-License-Identifier: MIT */
/* A source that is a function: another thread makes a line now and then, and the pipeline collects the lines in memory.
 * While there is no line, the function returns -EAGAIN. After leat_endpoint_notify the pipeline calls it again. */
#include <errno.h>
#include <leat/leat.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINES 5

struct mailbox {
    pthread_mutex_t lock;
    char line[64]; /* "" while there is no line */
    int ended, asked_in_vain;
    leat_endpoint *endpoint; /* a second reference, for leat_endpoint_notify */
};

/* Runs on the pipeline's thread. It must not block, so it returns -EAGAIN. */
static int give(void *user, void *bytes, size_t n, size_t *ret_n)
{
    struct mailbox *box = user;
    int r = 0;
    pthread_mutex_lock(&box->lock);
    size_t length = strlen(box->line);
    if (length == 0 && !box->ended) {
        box->asked_in_vain++;
        r = -EAGAIN;
    } else {
        length = length < n ? length : n;
        memcpy(bytes, box->line, length);
        memmove(box->line, box->line + length, strlen(box->line + length) + 1);
        *ret_n = length; /* 0 is the end */
    }
    pthread_mutex_unlock(&box->lock);
    return r;
}

/* Runs on a thread of its own: makes a line every few milliseconds, and never replaces a line that still waits. */
static void *make_lines(void *user)
{
    struct mailbox *box = user;
    for (int i = 0; i <= LINES;) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        pthread_mutex_lock(&box->lock);
        if (box->line[0] == '\0') {
            if (i < LINES)
                snprintf(box->line, sizeof(box->line), "line %d\n", i);
            else
                box->ended = 1;
            i++;
        }
        pthread_mutex_unlock(&box->lock);
        leat_endpoint_notify(box->endpoint); /* after the unlock, because `give` takes the lock */
    }
    return NULL;
}

int main(void)
{
    static struct mailbox box = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    char text[1024];
    size_t length = 0;
    leat_pipeline *pipeline;
    leat_endpoint *to;
    pthread_t thread;

    callbacks.read = give;
    int r = leat_pipeline_new(&pipeline, NULL, NULL);
    if (r == 0 && (r = leat_endpoint_from_callbacks(&box.endpoint, &callbacks, &box, NULL)) == 0) {
        r = leat_pipeline_source(pipeline, leat_endpoint_ref(box.endpoint));
        if (r == 0 && (r = leat_endpoint_to_memory(&to, text, sizeof(text), &length)) == 0)
            r = leat_pipeline_sink(pipeline, to, NULL, NULL);
        if (r == 0 && (r = -pthread_create(&thread, NULL, make_lines, &box)) == 0) {
            r = leat_pipeline_run(pipeline, NULL);
            pthread_join(thread, NULL);
        }
        leat_pipeline_free(pipeline);
        leat_endpoint_close(box.endpoint);
    }
    if (r < 0) {
        fprintf(stderr, "callbacks: %s\n", strerror(-r));
        return 1;
    }
    printf("%.*s%zu bytes, \"not yet\" was said %s\n", (int)length, text, length,
           box.asked_in_vain ? "and heard" : "never");
    return 0;
}
