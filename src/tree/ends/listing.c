/* SPDX-License-Identifier: MIT */
/* The thread fills a ring; the walker empties it. `lock` is for all members but the first three. */
#include "tree/ends/listing.h"
#include "base/thread.h"
#include "tree/tree.h"

enum {
    AHEAD_MAX = 2000, /* objects: two pages */
};

#define WANTED_NS INT64_C(100000000) /* how often the wait looks whether the copy is cancelled */

struct tree_listing {
    struct tree_copy *tree;
    struct s3_bucket *bucket;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tree_object *ring[AHEAD_MAX];
    unsigned first, count;
    bool is_unwanted, has_ended;
    struct leat_error error; /* of the list */
};

static struct tree_object *object_of(const struct leat_store_entry *entry)
{
    size_t n = strlen(entry->name) + 1, etag = entry->etag ? strlen(entry->etag) : 0;
    struct tree_object *object = malloc(sizeof(*object) + n + etag + 1);
    if (!object)
        return NULL;
    object->bytes = entry->bytes;
    object->modified_s = entry->modified_s;
    object->etag = object->key + n;
    memcpy(object->key, entry->name, n);
    memcpy(object->etag, entry->etag ? entry->etag : "", etag + 1);
    return object;
}

static int on_entry(void *user, const struct leat_store_entry *entry)
{
    struct tree_listing *l = user;
    struct tree_object *object = object_of(entry);
    if (!object)
        return -ENOMEM;
    pthread_mutex_lock(&l->lock);
    while (l->count == AHEAD_MAX && !l->is_unwanted)
        thread_cond_wait(&l->changed, &l->lock, NO_DEADLINE);
    int r = l->is_unwanted ? -ECANCELED : 0;
    if (r == 0) {
        l->ring[(l->first + l->count++) % AHEAD_MAX] = object;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    if (r < 0)
        free(object);
    return r;
}

static void *run(void *user)
{
    struct tree_listing *l = user;
    struct leat_error error = {.size = sizeof(error)};
    s3_bucket_list(l->bucket, on_entry, l, &error);
    pthread_mutex_lock(&l->lock);
    l->has_ended = true;
    l->error = error;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

int listing_begin(struct tree_listing **ret, struct tree_copy *tree, struct s3_bucket *bucket)
{
    struct tree_listing *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->tree = tree;
    l->bucket = bucket;
    int r = thread_cond_init(&l->changed);
    if (r < 0) {
        free(l);
        return r;
    }
    pthread_mutex_init(&l->lock, NULL);
    r = thread_create(&l->thread, run, l);
    if (r == 0) {
        *ret = l;
        return 0;
    }
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->changed);
    free(l);
    return r;
}

int listing_next(struct tree_listing *l, struct tree_object **ret, struct leat_error *error)
{
    int r = 0;
    pthread_mutex_lock(&l->lock);
    while (!l->count && !l->has_ended && !tree_is_canceled(l->tree))
        thread_cond_wait(&l->changed, &l->lock, clock_ns() + WANTED_NS);
    if (l->count) {
        *ret = l->ring[l->first];
        l->first = (l->first + 1) % AHEAD_MAX;
        l->count--;
        pthread_cond_broadcast(&l->changed);
        r = 1;
    } else if (l->has_ended)
        r = error_hand_on(error, &l->error);
    pthread_mutex_unlock(&l->lock);
    return r;
}

void listing_end(struct tree_listing *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->is_unwanted = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    for (unsigned i = 0; i < l->count; i++)
        free(l->ring[(l->first + i) % AHEAD_MAX]);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->changed);
    free(l);
}
