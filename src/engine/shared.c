/* SPDX-License-Identifier: MIT */
/* leat_engine: loops, each on a thread of its own, that many pipelines share. */
#include "base/error.h"
#include "base/origin.h"
#include "base/platform.h"
#include "engine/engine.h"
#include <errno.h>

#define THREADS_MAX  64
#define THREADS_AUTO 8

struct leat_engine {
    const struct engine *engine;
    unsigned origin;
    struct keep keep;
    char why[ENGINE_WHY_MAX]; /* why it is not the engine that was asked for; "" */
    size_t count;
    struct engine_place {
        struct loop loop;
        pthread_t thread;
    } place[];
};

const struct engine *engine_by_name(const char *name)
{
    if (!name || strcmp(name, "auto") == 0)
        return registry_engines[0];
    for (size_t i = 0; registry_engines[i]; i++)
        if (strcmp(registry_engines[i]->name, name) == 0)
            return registry_engines[i];
    return NULL;
}

const char *engine_unknown(char buffer[UNKNOWN_MAX], const char *name)
{
    const char *words[10] = {"auto"};
    for (size_t i = 0; registry_engines[i] && i + 2 < COUNT(words); i++)
        words[i + 1] = registry_engines[i]->name;
    return unknown_word(buffer, "engine", name, strlen(name), words);
}

static int start_place(struct engine_place *place, const struct engine *engine, char why[ENGINE_WHY_MAX])
{
    int r = loop_open(&place->loop, engine, why);
    if (r < 0)
        return r;
    r = loop_run_on_thread(&place->loop, &place->thread);
    if (r < 0)
        loop_close(&place->loop);
    return r;
}

static size_t choose_count(const struct leat_engine_options *options)
{
    size_t count = options->threads > 0 ? (size_t)options->threads : MIN(platform.processors(), THREADS_AUTO);
    return MIN(count, THREADS_MAX);
}

/* Copies what the caller gave, and checks it. */
static int take_options(struct leat_engine_options *own, const struct leat_engine_options *options,
                        struct leat_error *error)
{
    char text[UNKNOWN_MAX];
    int r = options_copy(own, sizeof(*own), options);
    if (r < 0)
        return error_at(error, r, LEAT_SIDE_NONE, "engine", "new", "The options are not those of this version");
    if (!engine_by_name(own->engine))
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "engine", "new", "%s", engine_unknown(text, own->engine));
    if (own->threads < 0)
        return error_at(error, -EINVAL, LEAT_SIDE_NONE, "engine", "new", "threads must be 0 or more");
    return 0;
}

static int make(leat_engine **ret, const struct leat_engine_options *options, struct leat_error *error)
{
    struct leat_engine_options own;
    int r = take_options(&own, options, error);
    if (r < 0)
        return r;
    size_t count = choose_count(&own);
    leat_engine *e = calloc(1, sizeof(*e) + count * sizeof(e->place[0]));
    if (!e)
        return -ENOMEM;
    e->engine = engine_by_name(own.engine);
    e->origin = origin_here();
    keep_init(&e->keep);
    while (e->count < count && r == 0) {
        r = start_place(&e->place[e->count], e->engine, e->count == 0 ? e->why : NULL);
        if (r < 0 && e->count == 0 && e->engine != &engine_sync) {
            e->engine = &engine_sync; /* every system has it */
            r = start_place(&e->place[0], e->engine, NULL);
        }
        e->count += r == 0;
    }
    if (e->count == 0) {
        keep_end(&e->keep);
        free(e);
        return r;
    }
    *ret = e; /* fewer threads than the caller asked for are no error */
    return 0;
}

int leat_engine_new(leat_engine **ret_engine, const struct leat_engine_options *options, struct leat_error *ret_error)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = error_begin(ret_error);
    return r < 0 ? r : error_return(ret_error, &error, make(ret_engine, options, &error));
}

const char *leat_engine_name(const leat_engine *e)
{
    return e->engine->name;
}

const char *engine_why(const leat_engine *e)
{
    return e->why;
}

struct keep *engine_keep(leat_engine *e)
{
    return &e->keep;
}

struct loop *engine_choose_loop(leat_engine *e)
{
    struct loop *least = &e->place[0].loop;
    for (size_t i = 1; i < e->count; i++)
        if (atomic_load(&e->place[i].loop.load) < atomic_load(&least->load))
            least = &e->place[i].loop;
    return least;
}

void leat_engine_free(leat_engine *e)
{
    if (!e || !origin_is_here(e->origin))
        return;
    for (size_t i = 0; i < e->count; i++)
        loop_quit(&e->place[i].loop);
    for (size_t i = 0; i < e->count; i++) {
        pthread_join(e->place[i].thread, NULL);
        loop_close(&e->place[i].loop);
    }
    keep_end(&e->keep);
    free(e);
}
