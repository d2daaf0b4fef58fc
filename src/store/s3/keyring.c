/* SPDX-License-Identifier: MIT */
#include "store/s3/keyring.h"
#include "base/error.h"
#include "base/origin.h"
#include "base/thread.h"
#include <stdio.h>
#include <time.h>

#define EARLY_S   300                        /* credentials are renewed so long before they expire */
#define AGAIN_NS  (INT64_C(10) * 1000000000) /* so long after a renewal, successful or not, no other is started; */
#define URGENT_NS INT64_C(1000000000)        /* or only so long, if they have expired */

struct keyring {
    struct profile profile;
    const struct credential_source *source; /* NULL: anonymous */
    char said[160];
    unsigned origin;
    atomic_bool stop;

    pthread_mutex_t lock; /* protects the members below */
    struct credentials credentials;
    bool has_thread, renewing;
    bool failed;      /* the last renewal */
    int64_t ended_ns; /* when the last renewal ended; 0: there was none */
    pthread_t thread;
};

static const struct credential_source *const sources[] = {
    &credentials_of_environment, &credentials_of_profile,  &credentials_of_process,
    &credentials_of_container,   &credentials_of_instance,
};

static void note(struct keyring *k, const struct credential_source *source, const char *said)
{
    size_t n = strlen(k->said);
    if (*said)
        snprintf(k->said + n, sizeof(k->said) - n, "%s%s (%s)", n ? ", " : "", source->name, said);
}

/* Returns 1 if a source has credentials, 0 if none has. */
static int ask_all(struct keyring *k, struct leat_error *error)
{
    char said[SAID_MAX];
    for (size_t i = 0; i < COUNT(sources); i++) {
        memset(&k->credentials, 0, sizeof(k->credentials));
        int r = sources[i]->ask(&k->profile, &k->credentials, said, &k->stop);
        if (r == 1) {
            k->source = sources[i];
            k->said[0] = '\0';
            return 1;
        }
        note(k, sources[i], said);
        if (r < 0)
            return error_set(error, r, "no credentials; asked were %s", k->said);
    }
    memset(&k->credentials, 0, sizeof(k->credentials));
    return 0;
}

int keyring_open(struct keyring **ret, const struct profile *profile, struct leat_error *error)
{
    struct keyring *k = calloc(1, sizeof(*k));
    if (!k)
        return error_set(error, -ENOMEM, "out of memory");
    k->profile = *profile;
    k->origin = origin_here();
    pthread_mutex_init(&k->lock, NULL);
    int r = ask_all(k, error);
    if (r < 0) {
        keyring_free(k);
        return r;
    }
    *ret = k;
    return 0;
}

/* ---- renewing ---- */

static bool is_same(const struct credentials *a, const struct credentials *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->secret, b->secret) == 0 && strcmp(a->token, b->token) == 0;
}

static void *renew(void *user)
{
    struct keyring *k = user;
    struct credentials fresh = {.key = ""};
    char said[SAID_MAX];
    const char *why;
    int r = k->source->is_file ? profile_find(&k->profile, &why) : 0;
    r = r < 0 ? r : k->source->ask(&k->profile, &fresh, said, &k->stop);
    pthread_mutex_lock(&k->lock);
    bool same = r == 1 && is_same(&fresh, &k->credentials);
    if (r == 1)
        k->credentials = fresh;
    k->failed = r != 1 || same;
    k->ended_ns = clock_ns();
    k->renewing = false;
    pthread_mutex_unlock(&k->lock);
    memset(&fresh, 0, sizeof(fresh));
    return NULL;
}

/* Starts a renewal if it is time. The caller holds the lock. `urgent`: the credentials are of no use any more. Returns
 * whether a renewal is running afterwards. */
static bool begin(struct keyring *k, bool urgent)
{
    if (k->renewing)
        return true;
    if (k->ended_ns && clock_ns() - k->ended_ns < (urgent ? URGENT_NS : AGAIN_NS))
        return false;
    if (k->has_thread)
        pthread_join(k->thread, NULL); /* it has ended */
    k->has_thread = k->renewing = thread_create(&k->thread, renew, k) == 0;
    return k->renewing;
}

void keyring_get(struct keyring *k, struct credentials *ret)
{
    pthread_mutex_lock(&k->lock);
    int64_t left_s = k->credentials.expires_s - (int64_t)time(NULL);
    if (k->source && k->source->changes && k->credentials.expires_s && left_s < EARLY_S)
        begin(k, left_s <= 0);
    *ret = k->credentials;
    pthread_mutex_unlock(&k->lock);
}

bool keyring_has_expired(struct keyring *k, bool told)
{
    if (!k->source || !k->source->changes)
        return false;
    pthread_mutex_lock(&k->lock);
    bool over = k->renewing || (k->credentials.expires_s && k->credentials.expires_s <= (int64_t)time(NULL));
    bool fresh = k->ended_ns && !k->failed && clock_ns() - k->ended_ns < AGAIN_NS;
    bool is = (told || over) && (begin(k, true) || fresh);
    pthread_mutex_unlock(&k->lock);
    return is;
}

const char *keyring_said(const struct keyring *keyring)
{
    return keyring->said;
}

void keyring_free(struct keyring *k)
{
    if (!k)
        return;
    if (origin_is_here(k->origin)) {
        atomic_store(&k->stop, true);
        if (k->has_thread)
            pthread_join(k->thread, NULL);
        pthread_mutex_destroy(&k->lock);
    }
    memset(&k->credentials, 0, sizeof(k->credentials));
    profile_clear(&k->profile);
    free(k);
}
