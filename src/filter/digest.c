/* SPDX-License-Identifier: MIT */
/* The digest filter: computes several algorithms over one stream, each on its own thread if that is faster.
 *
 * Ownership: `count`, the names, providers and sizes never change after the filter is made. The lock of an algorithm
 * protects its `state` and `failed`, because any thread may ask for the value so far. Threads and queues belong to the
 * one thread that runs the pipeline. The thread of an algorithm takes no lock except that of its algorithm, and waits
 * for nothing but its queue; so observe() may wait for room in a queue without a deadlock. Threads start at the first
 * chunk, because a route that splices into the kernel's socket shows no chunk and needs no thread.
 *
 * An algorithm that failed stays failed until the filter is reset, because a digest can't be continued after a gap. */
#include "base/digest_name.h"
#include "base/digest_provider.h"
#include "base/platform.h"
#include "base/text.h"
#include "buffer/consumer.h"
#include "node/filter.h"
#include <errno.h>

/* For fewer bytes a thread costs more than its overlap saves. */
#define SMALL_BYTES (256 * 1024)

struct algorithm {
    char name[DIGEST_NAME_MAX];
    const struct digest_provider *provider;
    const char *why; /* why the kernel does not compute it although it was asked for; static */
    size_t size;     /* bytes of the digest */

    pthread_mutex_t lock;
    void *state;
    int failed; /* the result of the update that failed, or 0 */

    struct chunk_consumer consumer;
};

struct digest {
    leat_filter filter;
    struct leat_digest_options options;
    bool threads; /* set by digest_start */
    size_t count;
    struct algorithm algorithm[];
};

static void hash(void *user, const struct chunk *chunk)
{
    struct algorithm *a = user;
    pthread_mutex_lock(&a->lock);
    if (!a->failed)
        a->failed = chunk_show(chunk, a->provider->update, a->state);
    pthread_mutex_unlock(&a->lock);
}

/* Tries once: an algorithm without a thread is computed inline. */
static void threads_start(struct digest *d)
{
    d->threads = false;
    for (size_t i = 0; i < d->count; i++)
        chunk_consumer_start(&d->algorithm[i].consumer);
}

/* All chunks are hashed afterwards, so the values match the bytes that were counted. */
static void threads_stop(struct digest *d)
{
    for (size_t i = 0; i < d->count; i++)
        chunk_consumer_stop(&d->algorithm[i].consumer);
}

static bool threads_pay(uint64_t expected)
{
    bool small = expected > 0 && expected <= SMALL_BYTES;
    return !small && platform.processors() > 1;
}

static int digest_start(leat_filter *filter, uint64_t expected, struct leat_error *error UNUSED)
{
    struct digest *d = (struct digest *)filter;
    d->threads = d->options.threads > 0 || (d->options.threads == 0 && threads_pay(expected));
    return 0;
}

static int digest_observe(leat_filter *filter, struct chunk *chunk, struct leat_error *error UNUSED)
{
    struct digest *d = (struct digest *)filter;
    if (d->threads)
        threads_start(d);
    for (size_t i = 0; i < d->count; i++)
        chunk_consumer_give(&d->algorithm[i].consumer, chunk);
    filter_count(filter, chunk->length);
    return 0;
}

static int failure(struct algorithm *a)
{
    pthread_mutex_lock(&a->lock);
    int code = a->failed;
    pthread_mutex_unlock(&a->lock);
    return code;
}

/* A failed algorithm fails the pipeline only if the pipeline has not failed already. */
static int digest_finish(leat_filter *filter, int code, struct leat_error *error)
{
    struct digest *d = (struct digest *)filter;
    threads_stop(d);
    for (size_t i = 0; i < d->count && code == 0; i++) {
        struct algorithm *a = &d->algorithm[i];
        int failed = failure(a);
        char text[100];
        if (failed)
            return error_at(error, failed, LEAT_SIDE_FILTER, "digest", "hash", "%s failed in the middle of %s: %s",
                            a->provider->name, a->name, error_text(failed, text, sizeof(text)));
    }
    return 0;
}

static int value(struct algorithm *a, uint8_t ret[DIGEST_BYTES_MAX])
{
    pthread_mutex_lock(&a->lock);
    int r = a->failed < 0 ? a->failed : a->provider->value(a->state, ret);
    pthread_mutex_unlock(&a->lock);
    return r;
}

static int value_hex(struct algorithm *a, char *ret, size_t capacity)
{
    uint8_t bytes[DIGEST_BYTES_MAX];
    if (capacity < 2 * a->size + 1)
        return -ENOSPC;
    int r = value(a, bytes);
    if (r < 0)
        return r;
    text_hex(bytes, a->size, ret);
    return 0;
}

static int digest_result(leat_filter *filter, size_t index, const char **ret_algorithm, char *hex, size_t capacity,
                         const char **ret_provider, const char **ret_why)
{
    struct digest *d = (struct digest *)filter;
    if (index >= d->count)
        return -ENOENT;
    struct algorithm *a = &d->algorithm[index];
    int r = value_hex(a, hex, capacity);
    if (r < 0)
        return r;
    *ret_algorithm = a->name;
    *ret_provider = a->provider->name;
    *ret_why = a->why;
    return 0;
}

/* Returns -1 if another algorithm needs to see the bytes, or if chunks may still wait in a queue. */
static int digest_splice_fd(leat_filter *filter)
{
    struct digest *d = (struct digest *)filter;
    struct algorithm *a = &d->algorithm[0];
    if (d->count != 1 || a->consumer.threaded || !a->provider->splice_fd || failure(a))
        return -1;
    return a->provider->splice_fd(a->state);
}

static void digest_free(leat_filter *filter)
{
    struct digest *d = (struct digest *)filter;
    threads_stop(d);
    for (size_t i = 0; i < d->count; i++) {
        d->algorithm[i].provider->close(d->algorithm[i].state);
        pthread_mutex_destroy(&d->algorithm[i].lock);
    }
    free(d);
}

static const struct filter_ops digest_ops = {
    .name = "digest",
    .caps = FILTER_OBSERVES,
    .start = digest_start,
    .observe = digest_observe,
    .finish = digest_finish,
    .result = digest_result,
    .splice_fd = digest_splice_fd,
    .free = digest_free,
};

/* Opens the first provider that has the algorithm. If none has it, returns the error of the first provider that failed
 * for another reason than an unknown name, or -ENOENT. */
static int algorithm_open(struct algorithm *a, bool kernel)
{
    int code = -ENOENT;
    a->why = kernel ? "this build has no digests in the kernel" : NULL;
    for (const struct digest_provider *const *p = registry_digest_providers; *p; p++) {
        const char *why = "the kernel has no such algorithm";
        if ((*p)->kernel && !kernel)
            continue;
        int r = (*p)->open(&a->state, a->name, &a->size, &why);
        if (r == 0) {
            a->provider = *p;
            a->why = (*p)->kernel ? NULL : a->why;
            chunk_consumer_init(&a->consumer, hash, a);
            return -pthread_mutex_init(&a->lock, NULL);
        }
        if ((*p)->kernel)
            a->why = why;
        else if (code == -ENOENT)
            code = r;
    }
    return code;
}

static struct algorithm *find(struct digest *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->algorithm[i].name, name) == 0)
            return &d->algorithm[i];
    return NULL;
}

static int add(struct digest *d, const char *spelling, size_t length)
{
    struct algorithm *a = &d->algorithm[d->count];
    char name[DIGEST_NAME_MAX];
    int r = digest_name(name, spelling, length);
    if (r < 0 || find(d, name))
        return r;
    memcpy(a->name, name, sizeof(name));
    r = algorithm_open(a, d->options.provider == LEAT_DIGEST_KERNEL);
    if (r == 0)
        d->count++;
    return r;
}

static int add_list(struct digest *d, const char *list, struct leat_error *error)
{
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        int r = add(d, at, length);
        if (r < 0) {
            error_place(error, 0, (uint64_t)(at - list));
            return digest_refuse(error, r, at, length);
        }
        at += length;
        if (*at == '\0')
            return 0;
    }
}

static size_t count_list(const char *list)
{
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static int make(leat_filter **ret, const char *algorithms, const struct leat_digest_options *options,
                struct leat_error *error)
{
    struct leat_digest_options o;
    int r = options_copy(&o, sizeof(o), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "digest", "new", "The options are not those of this version");
    if (!algorithms)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "digest", "new", "algorithms must be given");
    if (enum_check(o.provider, LEAT_DIGEST_KERNEL) < 0)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "digest", "new",
                        "provider must be LEAT_DIGEST_AUTO, LEAT_DIGEST_USER or LEAT_DIGEST_KERNEL");
    struct digest *d = calloc(1, sizeof(*d) + count_list(algorithms) * sizeof(d->algorithm[0]));
    if (!d)
        return -ENOMEM;
    filter_init(&d->filter, &digest_ops);
    d->options = o;
    r = add_list(d, algorithms, error);
    if (r < 0)
        digest_free(&d->filter);
    else
        *ret = &d->filter;
    return r;
}

int leat_filter_digest(leat_filter **ret_filter, const char *algorithms, const struct leat_digest_options *options,
                       struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_filter, algorithms, options, &error));
}

/* Finds the algorithm that the caller names in any of its spellings. */
static int lookup(leat_filter *filter, const char *spelling, struct algorithm **ret)
{
    char name[DIGEST_NAME_MAX];
    if (filter->ops != &digest_ops || !spelling)
        return -EINVAL;
    if (digest_name(name, spelling, strlen(spelling)) < 0)
        return -ENOENT;
    struct algorithm *a = find((struct digest *)filter, name);
    if (!a)
        return -ENOENT;
    *ret = a;
    return 0;
}

int leat_filter_digest_hex(leat_filter *filter, const char *algorithm, char *hex, size_t capacity)
{
    struct algorithm *a;
    int r = lookup(filter, algorithm, &a);
    return r < 0 ? r : value_hex(a, hex, capacity);
}

int leat_filter_digest_bytes(leat_filter *filter, const char *algorithm, void *bytes, size_t capacity, size_t *ret_n)
{
    struct algorithm *a;
    uint8_t value_bytes[DIGEST_BYTES_MAX];
    int r = lookup(filter, algorithm, &a);
    if (r < 0)
        return r;
    if (capacity < a->size)
        return -ENOSPC;
    r = value(a, value_bytes);
    if (r < 0)
        return r;
    memcpy(bytes, value_bytes, a->size);
    *ret_n = a->size;
    return 0;
}

/* Replaces the state by a new one. */
static int reset(struct algorithm *a)
{
    void *fresh;
    size_t size;
    const char *why;
    int r = a->provider->open(&fresh, a->name, &size, &why);
    if (r < 0)
        return r;
    pthread_mutex_lock(&a->lock);
    void *old = a->state;
    a->state = fresh;
    a->failed = 0;
    pthread_mutex_unlock(&a->lock);
    a->provider->close(old);
    return 0;
}

int leat_filter_digest_reset(leat_filter *filter)
{
    struct digest *d = (struct digest *)filter;
    if (filter->ops != &digest_ops)
        return -EINVAL;
    if (atomic_load(&filter->busy))
        return -EBUSY;
    threads_stop(d);
    for (size_t i = 0; i < d->count; i++) {
        int r = reset(&d->algorithm[i]);
        if (r < 0)
            return r;
    }
    atomic_store(&filter->bytes, 0);
    return 0;
}
