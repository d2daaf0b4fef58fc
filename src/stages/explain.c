/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/text.h"
#include "stages/stages.h"
#include <errno.h>
#include <stdio.h>

static void sum(const struct stage *stage, struct stage_counts *ret)
{
    for (uint32_t i = 0; stage->worker && i < stage->with.workers; i++) {
        struct stage_counts *one = &stage->worker[i].counts;
        count(&ret->done, atomic_load(&one->done));
        count(&ret->out, atomic_load(&one->out));
        count(&ret->dead, atomic_load(&one->dead));
        count(&ret->retries, atomic_load(&one->retries));
        count(&ret->busy_ns, atomic_load(&one->busy_ns));
        count(&ret->wait_in_ns, atomic_load(&one->wait_in_ns));
        count(&ret->wait_out_ns, atomic_load(&one->wait_out_ns));
    }
}

static uint64_t elapsed(const leat_stages *stages)
{
    int64_t end = stages->ended_ns ? stages->ended_ns : clock_ns();
    return stages->began_ns ? (uint64_t)MAX(end - stages->began_ns, 1) : 1;
}

/* Needs the lock, so that the stages are not being started meanwhile. */
static void collect(struct stage *stage, struct leat_stage_stats *ret)
{
    struct stage_counts counts = {0};
    struct item_queue *queue = &stage->in;
    *ret = LEAT_INIT(struct leat_stage_stats);
    sum(stage, &counts);
    ret->done = counts.done;
    ret->out = counts.out;
    ret->dead = counts.dead;
    ret->retries = counts.retries;
    ret->busy_ns = counts.busy_ns;
    ret->wait_in_ns = counts.wait_in_ns;
    ret->wait_out_ns = counts.wait_out_ns;
    ret->dropped = stage->dropped;
    if (queue->ring) {
        pthread_mutex_lock(&queue->lock);
        ret->in = queue->tail - queue->controls + stage->refused;
        ret->queued = queue->tail - queue->head;
        ret->most = queue->most;
        if (stage->kind == STAGE_SINK && !stage->with.workers)
            ret->done = queue->head;
        pthread_mutex_unlock(&queue->lock);
    }
}

int leat_stages_stats(leat_stages *stages, size_t index, struct leat_stage_stats *ret_stats)
{
    struct leat_stage_stats stats;
    if (index > stages->count)
        return -ENOENT;
    pthread_mutex_lock(&stages->lock);
    collect(stage_at(stages, (uint32_t)index), &stats);
    pthread_mutex_unlock(&stages->lock);
    return return_sized(ret_stats, &stats, sizeof(stats));
}

/* ---- for people ---- */

struct line {
    const struct stage *stage;
    struct leat_stage_stats stats;
    double busy, wait_in, wait_out; /* As a share of the time of all its workers. */
};

static const struct line *bottleneck(const struct line *lines, size_t n)
{
    const struct line *most = NULL;
    for (size_t i = 0; i < n; i++)
        if (lines[i].stage->with.workers && (!most || lines[i].busy > most->busy))
            most = &lines[i];
    return most;
}

static void print_text(FILE *out, const struct line *lines, size_t n, double seconds)
{
    const struct line *most = bottleneck(lines, n);
    fprintf(out, "%-16s %7s %12s %10s %5s %8s %8s %6s %5s %8s %8s\n", "stage", "workers", "items", "per second", "busy",
            "wait in", "wait out", "queued", "most", "retries", "dropped");
    for (size_t i = 0; i < n; i++) {
        const struct leat_stage_stats *s = &lines[i].stats;
        uint64_t lost = s->dropped + s->dead;
        uint64_t items = lines[i].stage->kind == STAGE_SOURCE ? s->out : s->done + lost;
        fprintf(out, "%-16s %7u %12llu %10.0f %4.0f%% %7.0f%% %7.0f%% %6llu %5llu %8llu %8llu\n", lines[i].stage->name,
                lines[i].stage->with.workers, (unsigned long long)items, (double)items / seconds, lines[i].busy * 100,
                lines[i].wait_in * 100, lines[i].wait_out * 100, (unsigned long long)s->queued,
                (unsigned long long)s->most, (unsigned long long)s->retries, (unsigned long long)lost);
    }
    if (most)
        fprintf(out, "bottleneck: %s, busy %.0f%% of its time\n", most->stage->name, most->busy * 100);
}

static json_t *to_json(const struct line *line, double seconds)
{
    const struct leat_stage_stats *s = &line->stats;
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "name",
                     json_name(line->stage->name), "workers", (json_int_t)line->stage->with.workers, "in",
                     (json_int_t)s->in, "done", (json_int_t)s->done, "out", (json_int_t)s->out, "dropped",
                     (json_int_t)s->dropped, "dead", (json_int_t)s->dead, "retries", (json_int_t)s->retries, "queued",
                     (json_int_t)s->queued, "most", (json_int_t)s->most, "rate", (double)s->done / seconds, "busy",
                     line->busy, "wait_in", line->wait_in, "wait_out", line->wait_out);
}

static char *as_json(const struct line *lines, size_t n, double seconds)
{
    const struct line *most = bottleneck(lines, n);
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_append(&array, to_json(&lines[i], seconds));
    json_t *all = json_pack("{s:s, s:f, s:o, s:o}", "type", "stages", "seconds", seconds, "stages", array, "bottleneck",
                            json_name(most ? most->stage->name : NULL));
    return json_line(all, JSON_COMPACT | JSON_REAL_PRECISION(6));
}

static char *as_text(const struct line *lines, size_t n, double seconds)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    print_text(out, lines, n, seconds);
    text_close(out, &text);
    return text;
}

static void measure(struct line *line, struct stage *stage, double ns)
{
    collect(stage, &line->stats);
    double all = ns * MAX(stage->with.workers, 1);
    line->stage = stage;
    line->busy = MIN((double)line->stats.busy_ns / all, 1);
    line->wait_in = MIN((double)line->stats.wait_in_ns / all, 1);
    line->wait_out = MIN((double)line->stats.wait_out_ns / all, 1);
}

int leat_stages_explain(leat_stages *stages, enum leat_format format, char **ret_text)
{
    size_t n = 0;
    if (enum_check(format, LEAT_FORMAT_JSON) < 0)
        return -EINVAL;
    struct line *lines = calloc(stages->count + 2, sizeof(*lines));
    if (!lines)
        return -ENOMEM;
    pthread_mutex_lock(&stages->lock);
    double ns = (double)elapsed(stages);
    if (stages->input.with.workers)
        measure(&lines[n++], &stages->input, ns);
    for (uint32_t i = 0; i <= stages->count; i++)
        measure(&lines[n++], stage_at(stages, i), ns);
    pthread_mutex_unlock(&stages->lock);
    char *text = (format == LEAT_FORMAT_JSON ? as_json : as_text)(lines, n, ns / 1e9);
    free(lines);
    if (!text)
        return -ENOMEM;
    *ret_text = text;
    return 0;
}
