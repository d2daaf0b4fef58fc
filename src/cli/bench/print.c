/* SPDX-License-Identifier: MIT */
/* Prints a row as a table, or as JSON with one object a line. The fastest contender comes first; those that can't run
 * come last. */
#include "bench/bench.h"
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *size_text(uint64_t bytes, char buffer[LEAT_SIZE_TEXT_MAX])
{
    leat_size_format(buffer, LEAT_SIZE_TEXT_MAX, bytes, 0);
    return buffer;
}

static int faster(const void *a, const void *b)
{
    const struct contender *x = *(const struct contender *const *)a, *y = *(const struct contender *const *)b;
    if ((x->reason[0] != 0) != (y->reason[0] != 0))
        return x->reason[0] ? 1 : -1;
    if (x->speed.median != y->speed.median)
        return x->speed.median < y->speed.median ? 1 : -1;
    return (x > y) - (x < y);
}

/* ---- for people ---- */

struct widths {
    int route, engine, block, bar;
};

enum {
    BAR_MAX = 24,
    BAR_ELSEWHERE = 10, /* of a bar where the width of the terminal is not known */
};

static int wider(int width, const char *text)
{
    int n = (int)strlen(text);
    return n > width ? n : width;
}

static struct widths measure(const struct row *row)
{
    struct widths w = {(int)strlen("route"), (int)strlen("engine"), (int)strlen("memory"), 0};
    char buffer[32];
    for (size_t i = 0; i < row->count; i++) {
        w.route = wider(w.route, row->contender[i].route);
        w.engine = wider(w.engine, row->contender[i].engine);
        w.block = wider(w.block, size_text(row->contender[i].block, buffer));
    }
    const int figures = row->latencies ? 42 : 48, marks = 12;
    int columns = cli_terminal_width(STDOUT_FILENO);
    int room = columns - (2 + w.route + 2 + w.engine + 2 + w.block + figures + 2 + marks);
    w.bar = columns == 0 ? BAR_ELSEWHERE : room < 0 ? 0 : room < BAR_MAX ? room : BAR_MAX;
    return w;
}

static void print_head(const struct row *row, const struct widths *w)
{
    bool flow = row->contender[0].is_auto;
    printf("  %-*s  %-*s  %*s  ", w->route, "route", w->engine, "engine", w->block, flow ? "memory" : "block");
    if (row->latencies)
        printf("%8s  %8s  %9s  %7s\n", "p50 us", "p99 us", "p99.9 us", "of best");
    else
        printf("%7s  %7s  %7s  %8s  %7s\n", "GB/s", "low", "high", "CPU s/GB", "of best");
}

static void print_contender(const struct row *row, const struct contender *c, const struct widths *w)
{
    char buffer[32];
    printf("  %-*s  %-*s  %*s  ", w->route, c->route, w->engine, c->engine, w->block,
           c->block ? size_text(c->block, buffer) : "");
    if (c->reason[0]) {
        printf("not here: %s\n", c->reason);
        return;
    }
    if (row->latencies)
        printf("%8.2f  %8.2f  %9.2f", c->latency[P50], c->latency[P99], c->latency[P999]);
    else
        printf("%7.2f  %7.2f  %7.2f  %8.3f", c->speed.median, c->speed.low, c->speed.high, c->cpu.median);
    char bar[BAR_MAX + 1] = "";
    memset(bar, '#', (size_t)(c->of_best * w->bar + 0.5));
    const char *marks = c->is_auto && c->best ? "  auto  best" : c->is_auto ? "  auto" : c->best ? "  best" : "";
    printf("  %7.2f%s%-*s%s\n", c->of_best, bar[0] || marks[0] ? "  " : "", marks[0] ? w->bar : 0, bar, marks);
}

/* The noise of a row is the ratio of the first contender to itself, in either direction. */
static bool within_noise(const struct row *row, double ratio)
{
    double above = row->itself.high > 1 ? 1 / row->itself.high : 1;
    return !row->noisy && ratio >= (row->itself.low < above ? row->itself.low : above);
}

/* The answer comes before the figures. */
static void print_verdict(const struct row *row, const struct contender *best)
{
    const struct contender *first = &row->contender[0];
    printf("%s: %s, %u round%s\n", row->name, row->title, row->rounds, row->rounds == 1 ? "" : "s");
    if (first->is_auto && !first->reason[0])
        printf("  auto takes %s by %s: %.2f of the best%s%s%s\n", first->route, first->engine, first->of_best,
               first->best                         ? ""
               : within_noise(row, first->of_best) ? ", which is within the noise"
                                                   : "",
               row->note[0] ? "; " : "", row->note);
    else if (row->note[0])
        printf("  %s\n", row->note);
    else if (!best->reason[0])
        printf("  %s is the fastest\n", best->route);
    if (row->noisy)
        printf("  too noisy to tell: the same thing twice is apart by a factor of %.2f to %.2f\n", row->itself.low,
               row->itself.high);
}

/* ---- for programs ---- */

/* Makes null if there is no such figure. */
static json_t *real_or_null(bool there, double value)
{
    return there ? json_real(value) : json_null();
}

static json_t *size_or_null(uint64_t bytes)
{
    return bytes ? json_integer((json_int_t)bytes) : json_null();
}

static json_t *contender_json(const struct row *row, const struct contender *c)
{
    bool ran = !c->reason[0], speed = ran && !row->latencies, latency = ran && row->latencies;
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:b, s:b, s:b, "
                     "s:s?}",
                     "type", "bench", "row", row->name, "route", c->route, "engine", c->engine, "block",
                     size_or_null(c->block), "pipe", size_or_null(row->pipe), "bytes", (json_int_t)row->bytes,
                     "gb_per_s", real_or_null(speed, c->speed.median), "low", real_or_null(speed, c->speed.low), "high",
                     real_or_null(speed, c->speed.high), "cpu_s_per_gb", real_or_null(speed, c->cpu.median), "p50_us",
                     real_or_null(latency, c->latency[P50]), "p99_us", real_or_null(latency, c->latency[P99]),
                     "p999_us", real_or_null(latency, c->latency[P999]), "rounds", ran ? (int)row->rounds : 0,
                     "of_best", real_or_null(ran, c->of_best), "auto", c->is_auto, "best", c->best, "noisy", row->noisy,
                     "reason", ran ? NULL : c->reason);
}

static int print_line(const struct row *row, const struct contender *c)
{
    return cli_print_json(contender_json(row, c));
}

/* ---- both ---- */

int row_print(const struct row *row, bool json)
{
    const struct contender *order[CONTENDERS];
    const struct widths w = measure(row);
    size_t n = 0;
    int r = 0;
    for (size_t i = 0; i < row->count; i++)
        if (!row->contender[i].again)
            order[n++] = &row->contender[i];
    qsort(order, n, sizeof(const struct contender *), faster);
    if (!json && n > 0) {
        print_verdict(row, order[0]);
        print_head(row, &w);
    }
    for (size_t i = 0; i < n && r == 0; i++)
        if (json)
            r = print_line(row, order[i]);
        else
            print_contender(row, order[i], &w);
    if (!json && n > 0)
        putchar('\n');
    plot_row(row, order, n);
    r = cli_flush(r);
    if (r == -EPIPE)
        stop_for(SIGPIPE); /* the reader left: die of SIGPIPE, as `cat` does */
    return cli_said("bench", r);
}
