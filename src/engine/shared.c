/* leat_engine: loops, each on a thread of its own, that many pipelines share. */
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

int leat_engine_new(leat_engine **ret_engine, const struct leat_engine_options *options)
{
    struct leat_engine_options own;
    int r = options_copy(&own, sizeof(own), options);
    if (r < 0)
        return r;
    const struct engine *engine = engine_by_name(own.engine);
    if (!engine || own.threads < 0)
        return -EINVAL;
    size_t count = choose_count(&own);
    leat_engine *e = calloc(1, sizeof(*e) + count * sizeof(e->place[0]));
    if (!e)
        return -ENOMEM;
    e->engine = engine;
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
    *ret_engine = e; /* fewer threads than the caller asked for are no error */
    return 0;
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
