/* SPDX-License-Identifier: MIT */
#include "tree/share/claim.h"
#include "base/thread.h"
#include "tree/share/shard.h"
#include "tree/tree.h"
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    LEASE_MS = 60000,
    GENERATIONS = 1000, /* owners of one unit, one after the other */
    ROUND_MS = 200,     /* between looks at the units of others, at most */
};

/* ---- this process ---- */

static void make_token(struct tree_claims *claims)
{
    struct utsname host;
    struct timespec now;
    char name[40] = "host";
    clock_gettime(CLOCK_REALTIME, &now);
    if (uname(&host) == 0)
        snprintf(name, sizeof(name), "%.39s", host.nodename);
    name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] = '\0';
    uint64_t mix = shard_hash(shard_hash(SHARD_HASH_FIRST, (const char *)&now, sizeof(now)), name, strlen(name));
    snprintf(claims->token, sizeof(claims->token), "%s-%ld-%08x", name, (long)getpid(), (unsigned)(mix >> 32));
    snprintf(claims->own, sizeof(claims->own), "own-%s", claims->token);
}

static int renew(struct tree_claims *claims)
{
    return claims->place->renew(claims->state, claims->own, claims->token, strlen(claims->token));
}

/* A renewal that fails is tried again at its next time. */
static void *renew_always(void *user)
{
    struct tree_claims *claims = user;
    pthread_mutex_lock(&claims->lock);
    while (!claims->is_over) {
        int64_t next = clock_ns() + claims->lease_ns / 4;
        while (!claims->is_over && thread_cond_wait(&claims->over, &claims->lock, next))
            ;
        if (claims->is_over)
            break;
        pthread_mutex_unlock(&claims->lock);
        renew(claims);
        pthread_mutex_lock(&claims->lock);
    }
    pthread_mutex_unlock(&claims->lock);
    return NULL;
}

/* Does the process of this token run, as far as its record says? Returns 1, 0 or a negative errno. */
static int is_alive(struct tree_claims *claims, const char *token)
{
    char name[CLAIM_NAME_MAX + sizeof("own-")];
    int64_t now = 0, then = 0;
    snprintf(name, sizeof(name), "own-%s", token);
    int r = claims->place->time(claims->state, name, &then);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = renew(claims);
    if (r == 0)
        r = claims->place->time(claims->state, claims->own, &now);
    return r < 0 ? r : now - then <= claims->lease_ns;
}

/* ---- units ---- */

ssize_t claim_read_done(struct tree_claims *claims, const char *unit, char *text, size_t size)
{
    char name[CLAIM_NAME_MAX];
    snprintf(name, sizeof(name), "%s.done", unit);
    ssize_t n = claims->place->read(claims->state, name, text, size - 1);
    if (n < 0)
        return n;
    text[n] = '\0';
    const char *line = strchr(text, '\n');
    size_t head = line ? (size_t)(line - text) + 1 : (size_t)n;
    memmove(text, text + head, (size_t)n - head + 1);
    return n - (ssize_t)head;
}

static int is_done(struct tree_claims *claims, const char *unit)
{
    char text[CLAIM_TOKEN_MAX];
    ssize_t n = claim_read_done(claims, unit, text, sizeof(text));
    return n >= 0 ? 1 : n == -ENOENT ? 0 : (int)n;
}

/* Whose is this claim? Returns an enum unit_state, or a negative errno. */
static int owner_state(struct tree_claims *claims, const char *name)
{
    char token[CLAIM_NAME_MAX];
    ssize_t n = claims->place->read(claims->state, name, token, sizeof(token) - 1);
    if (n < 0)
        return (int)n;
    token[n] = '\0';
    token[strcspn(token, " ")] = '\0';
    if (strcmp(token, claims->token) == 0)
        return UNIT_OWN;
    int r = is_alive(claims, token);
    return r < 0 ? r : r ? UNIT_HELD : UNIT_DEAD;
}

int claim_take(struct tree_claims *claims, const char *unit)
{
    char name[CLAIM_NAME_MAX], text[CLAIM_NAME_MAX];
    /* No two calls write the same, so a place can tell whether a record is that of its call. */
    int n = snprintf(text, sizeof(text), "%s %llu", claims->token,
                     (unsigned long long)atomic_fetch_add(&claims->serial, 1));
    for (unsigned generation = 1; generation <= GENERATIONS; generation++) {
        snprintf(name, sizeof(name), "%s.%u", unit, generation);
        int made = claims->place->create(claims->state, name, text, (size_t)n);
        if (made == 0 && generation == 1)
            return UNIT_TAKEN;
        if (made < 0 && made != -EEXIST)
            return made;
        int r = is_done(claims, unit);
        if (r != 0)
            return r < 0 ? r : UNIT_DONE;
        if (made == 0)
            return UNIT_TAKEN;
        r = owner_state(claims, name);
        if (r != UNIT_DEAD)
            return r;
    }
    return -EMFILE;
}

/* As claim_take, but takes nothing: UNIT_DEAD is an answer. */
static int look(struct tree_claims *claims, const char *unit)
{
    char name[CLAIM_NAME_MAX];
    int r = is_done(claims, unit), state = UNIT_DEAD;
    if (r != 0)
        return r < 0 ? r : UNIT_DONE;
    for (unsigned generation = 1; generation <= GENERATIONS; generation++) {
        snprintf(name, sizeof(name), "%s.%u", unit, generation);
        r = owner_state(claims, name);
        if (r == -ENOENT)
            return state;
        if (r != UNIT_DEAD)
            return r;
    }
    return state;
}

int claim_end(struct tree_claims *claims, const char *unit, const char *text)
{
    char name[CLAIM_NAME_MAX], record[CLAIM_RECORD_MAX];
    int n = snprintf(record, sizeof(record), "%s\n%s", claims->token, text);
    if (n >= (int)sizeof(record))
        return -ENAMETOOLONG;
    snprintf(name, sizeof(name), "%s.done", unit);
    int r = claims->place->create(claims->state, name, record, (size_t)n);
    return r == -EEXIST ? 1 : r;
}

int claim_problem(struct tree_copy *tree, const struct tree_dir *dir, const char *name, int code)
{
    char text[128];
    return tree_problem(tree, dir, name, LEAT_SIDE_NONE, code, "claim", "The claims in '%s': %s", tree->options.claims,
                        error_text(code, text, sizeof(text)));
}

/* ---- the end of a walk ---- */

int claim_add_held(struct tree_claims *claims, const char *unit)
{
    int r = 0;
    pthread_mutex_lock(&claims->lock);
    if (claims->held_count == claims->held_room) {
        size_t room = claims->held_room ? 2 * claims->held_room : 64;
        char(*held)[CLAIM_UNIT_MAX] = realloc(claims->held, room * sizeof(held[0]));
        r = held ? 0 : -ENOMEM;
        claims->held = held ? held : claims->held;
        claims->held_room = held ? room : claims->held_room;
    }
    if (r == 0)
        strcpy(claims->held[claims->held_count++], unit);
    pthread_mutex_unlock(&claims->lock);
    return r;
}

void claim_rest(struct tree_copy *tree)
{
    int64_t ns = MIN(tree->claims->lease_ns / 4, (int64_t)ROUND_MS * 1000000);
    struct timespec nap = {.tv_nsec = 20000000};
    for (int64_t end = clock_ns() + ns; clock_ns() < end && !tree_is_canceled(tree);)
        nanosleep(&nap, NULL);
}

static void begin_walk(struct tree_copy *tree)
{
    struct tree_claims *claims = tree->claims;
    atomic_store(&tree->counts.directories, 0); /* each walk meets all of them */
    claims->held_count = 0;
    atomic_store(&claims->units, 0);
}

/* Drops the units that are done. Returns 1 if one has no owner that runs; 0; or a negative errno. */
static int look_at_held(struct tree_claims *claims)
{
    for (size_t i = claims->held_count; i-- > 0;) {
        int r = look(claims, claims->held[i]);
        if (r < 0 || r == UNIT_DEAD)
            return r < 0 ? r : 1;
        if (r == UNIT_DONE)
            memcpy(claims->held[i], claims->held[--claims->held_count], CLAIM_UNIT_MAX);
    }
    return 0;
}

/* How many units the tree has, for `leat shard status`. */
static int note_walk(struct tree_claims *claims)
{
    char name[CLAIM_NAME_MAX], text[32];
    snprintf(name, sizeof(name), "walk-%s", claims->token);
    int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)atomic_load(&claims->units));
    int r = claims->place->create(claims->state, name, text, (size_t)n);
    return r == -EEXIST ? 0 : r;
}

static int wait_for_others(struct tree_copy *tree)
{
    struct tree_claims *claims = tree->claims;
    int r = note_walk(claims);
    while (r == 0 && claims->held_count > 0 && (r = look_at_held(claims)) == 0 && claims->held_count > 0) {
        if (!tree_is_wanted(tree))
            return -ECANCELED;
        claim_rest(tree);
    }
    return r < 0 ? claim_problem(tree, tree->root, NULL, r) : r;
}

/* ---- the whole ---- */

static const struct claim_place *find_place(const char *spec)
{
    const struct claim_place *folder = NULL;
    for (size_t i = 0; registry_claim_places[i]; i++) {
        const struct claim_place *place = registry_claim_places[i];
        size_t n = strlen(place->scheme);
        if (n == 0)
            folder = place;
        else if (strncmp(spec, place->scheme, n) == 0 && spec[n] == ':')
            return place;
    }
    return folder;
}

/* Processes of another copy would take units of the same names for done. */
static int check_head(struct tree_claims *claims, const char *text, struct leat_error *error)
{
    char there[CLAIM_RECORD_MAX];
    size_t n = MIN(strlen(text), sizeof(there));
    int r = claims->place->create(claims->state, "copy", text, n);
    ssize_t had = r == -EEXIST ? claims->place->read(claims->state, "copy", there, sizeof(there)) : r;
    if (r == 0 || (had == (ssize_t)n && memcmp(there, text, n) == 0))
        return 0;
    return had < 0 ? (int)had : error_set(error, -EINVAL, "The claims are those of another copy: use a new folder");
}

static int begin(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    struct tree_claims *claims = tree->claims;
    const struct leat_tree_options *o = &tree->options;
    char head[CLAIM_RECORD_MAX];
    uint64_t hash = shard_hash(SHARD_HASH_FIRST, source, strlen(source) + 1);
    hash = shard_hash(hash, target, strlen(target) + 1);
    snprintf(head, sizeof(head), "leat claims 1\n%016llx %d %d %d %s\n%s\n%s\n", (unsigned long long)hash, (int)o->keep,
             (int)o->drop_attributes, (int)o->one_file_system, o->digest ? o->digest : "-", source, target);
    int r = check_head(claims, head, error);
    if (r == 0)
        r = claims->place->create(claims->state, claims->own, claims->token, strlen(claims->token));
    if (r == 0)
        r = thread_create(&claims->renewer, renew_always, claims);
    claims->is_renewing = r == 0;
    return r;
}

static void close_claims(struct tree_copy *tree)
{
    struct tree_claims *claims = tree->claims;
    if (!claims)
        return;
    pthread_mutex_lock(&claims->lock);
    claims->is_over = true;
    pthread_cond_broadcast(&claims->over);
    pthread_mutex_unlock(&claims->lock);
    if (claims->is_renewing)
        pthread_join(claims->renewer, NULL);
    if (claims->state) {
        claims->place->remove(claims->state, claims->own); /* so that no other process waits for the lease to expire */
        claims->place->close(claims->state);
    }
    pthread_cond_destroy(&claims->over);
    pthread_mutex_destroy(&claims->lock);
    pthread_mutex_destroy(&claims->links);
    free(claims->held);
    free(claims);
    tree->claims = NULL;
}

static int open_claims(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error)
{
    struct tree_claims *claims = calloc(1, sizeof(*claims));
    char text[128];
    if (!claims)
        return error_set(error, -ENOMEM, "out of memory");
    claims->place = find_place(tree->options.claims);
    claims->lease_ns = (int64_t)(tree->options.lease_ms ? tree->options.lease_ms : LEASE_MS) * 1000000;
    make_token(claims);
    pthread_mutex_init(&claims->lock, NULL);
    pthread_mutex_init(&claims->links, NULL);
    thread_cond_init(&claims->over);
    tree->claims = claims;
    int r = claims->place->open(tree->options.claims, &claims->state, error);
    if (r == 0)
        r = begin(tree, source, target, error);
    if (r == 0)
        return 0;
    if (!error->code)
        error_at(error, r, LEAT_SIDE_NONE, tree->options.claims, "claim", "%s", error_text(r, text, sizeof(text)));
    close_claims(tree);
    return r;
}

/* Moves the failure of a walk to that of all walks: the first one counts, but for the end that the program has asked
 * for. */
static void keep_failure(struct leat_error *all, struct leat_error *walk)
{
    if (walk->code == -ECANCELED)
        *all = *walk;
    error_hand_on(all, walk);
    *walk = (struct leat_error){.size = sizeof(*walk)};
}

int claims_run(struct tree_copy *tree, const char *source, const char *target,
               int (*walk)(struct tree_copy *tree, const char *source, const char *target, struct leat_error *error))
{
    struct leat_error all = {.size = sizeof(all)}, *error = tree->error;
    int r = open_claims(tree, source, target, error);
    if (r < 0)
        return r;
    do {
        begin_walk(tree);
        walk(tree, source, target, error);
        keep_failure(&all, error);
    } while (!tree_is_canceled(tree) && (r = wait_for_others(tree)) > 0);
    if (r == -ECANCELED)
        error_set(error, r, "The program has ended it");
    keep_failure(&all, error);
    if (!tree_is_canceled(tree)) {
        tree->claims->is_last = true;
        begin_walk(tree);
        walk(tree, source, target, error);
        keep_failure(&all, error);
    }
    close_claims(tree);
    *error = all;
    return all.code;
}
