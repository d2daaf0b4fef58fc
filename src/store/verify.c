/* SPDX-License-Identifier: MIT */
#include "store/verify.h"
#include "base/platform.h"
#include "base/text.h"
#include "buffer/consumer.h"
#include <errno.h>
#include <leat/filter.h>
#include <stdio.h>

#define SMALL_BYTES (256 * 1024) /* for a smaller object a thread costs more than it saves */

struct hash {
    const struct digest_provider *provider; /* NULL: the pipeline computes it */
    void *state;
    int failed; /* belongs to the hash's thread while there is one */
    struct sent_digest sent;
    struct chunk_consumer consumer;
};

struct verify {
    const struct node *node;
    size_t n;
    struct hash hash[DIGESTS_MAX];
};

static void hash_chunk(void *user, const struct chunk *chunk)
{
    struct hash *h = user;
    if (!h->failed)
        h->failed = h->provider->update(h->state, chunk->data, chunk->length);
}

static void stop_threads(struct verify *v)
{
    for (size_t i = 0; i < v->n; i++)
        chunk_consumer_stop(&v->hash[i].consumer);
}

/* Gives the digest that the pipeline computes, if it does. */
static int given_hex(const struct node *node, const struct hash *h, char hex[LEAT_DIGEST_HEX_MAX])
{
    return node->digest ? node->digest(node->digest_user, h->sent.algorithm, hex, LEAT_DIGEST_HEX_MAX) : -ENOENT;
}

static int open_hash(struct hash *h, const struct node *node, const struct sent_digest *sent)
{
    int code = -ENOENT;
    char hex[LEAT_DIGEST_HEX_MAX];
    h->sent = *sent;
    if (given_hex(node, h, hex) == 0)
        return strlen(hex) == 2 * sent->n ? 0 : -EINVAL;
    for (const struct digest_provider *const *p = registry_digest_providers; *p; p++) {
        const char *why;
        size_t size = 0;
        int r = (*p)->kernel ? -ENOENT : (*p)->open(&h->state, sent->algorithm, &size, &why);
        if (r == 0) {
            h->provider = *p;
            chunk_consumer_init(&h->consumer, hash_chunk, h);
            if (size == sent->n)
                return 0;
            (*p)->close(h->state);
            return -EINVAL;
        }
        code = r == -ENOMEM ? r : code;
    }
    return code;
}

static bool is_known(const struct verify *v, const struct sent_digest *sent)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->hash[i].sent.algorithm, sent->algorithm) == 0 &&
            memcmp(v->hash[i].sent.bytes, sent->bytes, sent->n) == 0)
            return true;
    return false;
}

int verify_open(struct verify **ret, const struct node *node, const struct sent_digests *digests, uint64_t size,
                const char **ret_why)
{
    struct verify *v = digests->n ? calloc(1, sizeof(*v)) : NULL;
    int r = digests->n && !v ? -ENOMEM : 0;
    if (v)
        v->node = node;
    for (size_t i = 0; i < digests->n && r == 0; i++) {
        struct hash *h = &v->hash[v->n];
        if (is_known(v, &digests->one[i]))
            continue;
        r = open_hash(h, node, &digests->one[i]);
        if (r == 0)
            v->n++;
        else if (r != -ENOMEM) {
            *ret_why = "a digest of the server can't be computed here";
            r = 0;
        }
    }
    if (r < 0 || (v && v->n == 0)) {
        verify_free(v);
        v = NULL;
    }
    bool threads = size > SMALL_BYTES && platform.processors() > 1;
    for (size_t i = 0; v && threads && i < v->n; i++)
        if (v->hash[i].provider)
            chunk_consumer_start(&v->hash[i].consumer);
    *ret = v;
    return r;
}

void verify_take(struct verify *v, struct chunk *chunk)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->hash[i].provider)
            chunk_consumer_give(&v->hash[i].consumer, chunk);
}

static int compare_given(const struct node *node, const struct hash *h)
{
    char hex[LEAT_DIGEST_HEX_MAX], sent[LEAT_DIGEST_HEX_MAX];
    int r = given_hex(node, h, hex);
    text_hex(h->sent.bytes, h->sent.n, sent);
    return r < 0 ? r : strcmp(hex, sent) == 0 ? 0 : -EBADMSG;
}

static int compare(const struct verify *v, struct hash *h)
{
    uint8_t bytes[DIGEST_BYTES_MAX];
    if (!h->provider)
        return compare_given(v->node, h);
    int r = h->failed ? h->failed : h->provider->value(h->state, bytes);
    if (r < 0)
        return r;
    return memcmp(bytes, h->sent.bytes, h->sent.n) == 0 ? 0 : -EBADMSG;
}

int verify_end(struct verify *v, char *text, size_t capacity)
{
    size_t at = 0;
    stop_threads(v);
    text[0] = '\0';
    for (size_t i = 0; i < v->n; i++) {
        struct hash *h = &v->hash[i];
        int r = compare(v, h);
        if (r < 0) {
            snprintf(text, capacity, "%s (%s)", h->sent.algorithm, h->sent.header);
            return r;
        }
        if (at < capacity)
            at += (size_t)snprintf(text + at, capacity - at, "%s%s (%s)", at ? ", " : "", h->sent.algorithm,
                                   h->sent.header);
    }
    return 0;
}

void verify_free(struct verify *v)
{
    if (!v)
        return;
    stop_threads(v);
    for (size_t i = 0; i < v->n; i++)
        if (v->hash[i].provider)
            v->hash[i].provider->close(v->hash[i].state);
    free(v);
}
