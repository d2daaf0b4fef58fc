/* SPDX-License-Identifier: MIT */
#include "flow/traffic.h"
#include "base/json.h"
#include "base/units.h"

/* Jansson's integers are signed. */
static json_int_t count(uint64_t n)
{
    return (json_int_t)MIN(n, (uint64_t)INT64_MAX);
}

static const char *side(enum leat_direction direction)
{
    return direction == LEAT_READ ? "source" : "sink";
}

static const char *plural(uint64_t n, const char *one, const char *more)
{
    return n == 1 ? one : more;
}

/* ---- the plan ---- */

static void print_connections(FILE *to, const struct node_traffic *t)
{
    if (t->connections)
        fprintf(to, "up to %u %s", t->connections_max, plural(t->connections_max, "connection", "connections"));
    else
        fprintf(to, "1 to %u connections", t->connections_max);
    if (t->why[0])
        fprintf(to, " (%s)", t->why);
}

void traffic_plan_print(FILE *to, const struct node *node)
{
    const struct node_traffic *t = node->traffic;
    char size[32];
    fprintf(to, "%-7s ", t->route);
    print_connections(to, t);
    if (t->part_size)
        fprintf(to, ", one request or parts of %s", size_format(t->part_size, size, sizeof(size)));
    if (node->memory.share)
        fprintf(to, ", %s of the memory ahead", size_format(node->memory.share, size, sizeof(size)));
    if (t->memory)
        fprintf(to, ", at most %s beside the memory limit", size_format(t->memory, size, sizeof(size)));
    fputc('\n', to);
}

json_t *traffic_plan_json(const struct node *node)
{
    const struct node_traffic *t = node->traffic;
    return json_pack("{s:s, s:o, s:s, s:I, s:I, s:s, s:I, s:I, s:I}", "side", side(node->direction), "spec",
                     json_name(node->name), "route", t->route, "connections", (json_int_t)t->connections,
                     "connections_max", (json_int_t)t->connections_max, "reason", t->why, "part_size",
                     count(t->part_size), "memory", count(t->memory), "memory_ahead", count(node->memory.share));
}

/* ---- the report ---- */

/* An object that came as a single part has no part size. */
static uint64_t largest_part(const struct node_traffic *t)
{
    return t->parts > 1 ? t->part_top : 0;
}

void traffic_print(FILE *to, const struct node_traffic *t)
{
    char size[32];
    fprintf(to, "  %s: %u %s", t->route, t->connections_top, plural(t->connections_top, "connection", "connections"));
    if (t->why[0])
        fprintf(to, " (%s)", t->why);
    fprintf(to, ", %llu %s", (unsigned long long)t->parts, plural(t->parts, "part", "parts"));
    if (largest_part(t))
        fprintf(to, " of up to %s", size_format(largest_part(t), size, sizeof(size)));
    fprintf(to, ", %llu %s, %llu of them repeated, %llu bytes, %llu of them again or in vain\n",
            (unsigned long long)t->requests, plural(t->requests, "request", "requests"),
            (unsigned long long)t->repeated, (unsigned long long)t->bytes, (unsigned long long)t->bytes_again);
    if (t->parts_kept)
        fprintf(to, "  kept: %llu parts, %llu bytes, which the store had\n", (unsigned long long)t->parts_kept,
                (unsigned long long)t->bytes_kept);
    if (t->verified[0])
        fprintf(to, "  as the server says: %s\n", t->verified);
    if (t->unverified[0])
        fprintf(to, "  not compared: %s\n", t->unverified);
}

json_t *traffic_json(const struct node_traffic *t, enum leat_direction direction, const char *name)
{
    return json_pack("{s:s, s:o, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "side",
                     side(direction), "spec", json_name(name), "route", t->route, "connections",
                     (json_int_t)t->connections_top, "reason", t->why, "parts", count(t->parts), "part_size",
                     count(largest_part(t)), "requests", count(t->requests), "repeated", count(t->repeated), "bytes",
                     count(t->bytes), "bytes_again", count(t->bytes_again), "parts_kept", count(t->parts_kept),
                     "bytes_kept", count(t->bytes_kept), "verified", t->verified, "unverified", t->unverified);
}
