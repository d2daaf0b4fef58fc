/* SPDX-License-Identifier: MIT */
/* Chooses which objects are removed: those that the caller names, or all with a prefix. */
#include "store/s3/delete.h"
#include "store/s3/names.h"
#include "store/transfer.h"
#include <errno.h>

/* ---- all of a prefix ---- */

struct sweeping {
    struct delete_batch *batch;
    const struct names_call *call;
    size_t most;
};

static int remove_keys(void *user, const char *const *keys, size_t count, struct leat_error *error)
{
    struct sweeping *s = user;
    struct delete_batch *b = s->batch;
    int r = 0;
    for (size_t i = 0; i < count && r == 0;) {
        for (; i < count && b->count < BATCH_MOST; i++, b->count++) {
            b->call[b->count] = s->call;
            b->key[b->count] = keys[i];
            b->spec[b->count] = b->version[b->count] = NULL;
        }
        r = delete_batch(b, error);
    }
    return r;
}

static int remove_prefix(struct delete_batch *b, const struct names_call *call, struct leat_error *error)
{
    struct s3_place place = {0};
    struct s3_name name;
    struct sweeping sweeping = {.batch = b, .call = call};
    int r = s3_names_find(call, false, &place, &name, error);
    b->place = &place;
    b->bucket = &name;
    if (r == 0)
        r = s3_names_pages(call, remove_keys, &sweeping, error);
    s3_place_clear(&place);
    return r;
}

/* ---- those that the caller names ---- */

static bool is_same_bucket(const struct s3_name *a, const struct s3_name *b)
{
    return a->bucket_length == b->bucket_length && strncmp(a->bucket, b->bucket, a->bucket_length) == 0;
}

/* Returns how many objects, from the first on, one request takes. */
static int remove_some(struct delete_batch *b, const struct names_call *calls, size_t n, size_t *ret_taken,
                       struct leat_error *error)
{
    struct s3_place place = {0};
    struct s3_name first = {0}, name;
    char *keys[BATCH_MOST] = {NULL};
    int r = s3_names_find(&calls[0], true, &place, &first, error);
    b->place = &place;
    b->bucket = &first;
    for (size_t i = 0; r == 0 && i < MIN(n, (size_t)BATCH_MOST); i++) {
        if (s3_name_split(&name, calls[i].rest) < 0 || !name.key_length || !is_same_bucket(&name, &first))
            break;
        keys[b->count] = strndup(name.key, name.key_length);
        if (!keys[b->count]) {
            r = error_set(error, -ENOMEM, "out of memory");
            break;
        }
        b->call[b->count] = &calls[i];
        b->key[b->count] = keys[b->count];
        b->spec[b->count] = calls[i].spec;
        b->version[b->count++] = name.version;
    }
    size_t taken = b->count;
    if (r == 0)
        r = delete_batch(b, error);
    for (size_t i = 0; i < taken; i++)
        free(keys[i]);
    b->count = 0;
    s3_place_clear(&place);
    *ret_taken = taken;
    return r;
}

/* "s3://b/dir" would also be a prefix of "dir2". */
int s3_remove_check(const struct names_call *call, struct leat_error *error)
{
    struct s3_name name;
    if (s3_name_split(&name, call->rest) < 0 || (!name.key_length && !call->options->recursive))
        return error_set(error, -EINVAL, "'%s' names no object: write s3://BUCKET/KEY", call->node);
    int r = call->options->recursive ? s3_names_check_prefix(call, &name, error) : 0;
    if (r == 0 && call->options->recursive && name.key_length && name.key[name.key_length - 1] != '/')
        r = error_set(error, -EINVAL, "'%s' would be the beginning of other names, too: end it in a slash", call->node);
    return r;
}

int s3_remove(const struct names_call *calls, size_t n, struct removal *removal, struct leat_error *error)
{
    const char *why = NULL;
    struct delete_batch *b = calloc(1, sizeof(*b));
    if (!b)
        return error_set(error, -ENOMEM, "out of memory");
    b->removal = removal;
    int r = transfers_get(&why);
    if (r < 0) {
        free(b);
        return error_set(error, r, "%s", why);
    }
    for (size_t at = 0, taken = 1; at < n && r == 0; at += taken) {
        if (calls[at].options->recursive)
            r = remove_prefix(b, &calls[at], error);
        else
            r = remove_some(b, &calls[at], n - at, &taken, error);
        if (r < 0)
            error_complete(error, calls[at].spec, "");
    }
    transfers_put();
    free(b);
    return r;
}
