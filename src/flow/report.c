/* The report: a copy of what happened, independent of the pipeline it came from. */
#include "base/error.h"
#include "base/json.h"
#include "base/quote.h"
#include "base/units.h"
#include "flow/pipeline.h"
#include "flow/said.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>

struct report_digest {
    char algorithm[32];
    char hex[LEAT_DIGEST_HEX_MAX];
    const char *provider, *why; /* static */
    enum leat_side side;        /* of which bytes it is */
};

struct report_leg {
    char *from;
    uint64_t taken;
    struct rung rung[ROUTES_MAX];
    size_t rungs;
};

struct report_branch {
    size_t leg;
    char *to;
    bool failed;
    struct leat_error error;
    uint64_t delivered, held, discarded;
    uint64_t by_route[ROUTES_MAX];
};

struct leat_report {
    struct leat_error error;
    char *error_node;
    char *error_operation; /* NULL: it is static */
    const char *status;    /* static */
    int code;
    bool aborted; /* `error` is no single sink's: nothing was published */
    uint64_t bytes;
    double seconds, cpu_seconds;
    uint64_t memory_peak, memory_codecs;
    const char *engine;              /* static */
    char engine_why[ENGINE_WHY_MAX]; /* not the one that was asked for; "" */
    struct said said;
    size_t digests;
    struct report_digest digest[FILTERS_ALL];
    size_t legs, branches, sinks;
    struct report_leg *leg;
    struct report_branch *branch; /* of every leg, in order */
    struct report_branch *sink;   /* those of the last one */
};

/* ---- making it ---- */

/* Of which bytes the filter at this place sees: what stands behind it decides first. */
static enum leat_side side_of_filter(const leat_pipeline *p, size_t place)
{
    bool before = false, behind = false;
    for (size_t i = 0; i < p->filters; i++)
        if (p->filter[i]->ops->caps & (FILTER_TRANSFORMS | FILTER_JOINS)) {
            before |= i < place;
            behind |= i > place;
        }
    return !behind ? LEAT_SIDE_SINK : !before ? LEAT_SIDE_SOURCE : LEAT_SIDE_FILTER;
}

static void take_digests(leat_report *report, const leat_pipeline *p)
{
    for (size_t i = 0; i < p->filters; i++) {
        const struct filter_ops *ops = p->filter[i]->ops;
        const char *algorithm;
        for (size_t k = 0; ops->result && report->digests < FILTERS_ALL; k++) {
            struct report_digest *d = &report->digest[report->digests];
            if (ops->result(p->filter[i], k, &algorithm, d->hex, sizeof(d->hex), &d->provider, &d->why) < 0)
                break;
            snprintf(d->algorithm, sizeof(d->algorithm), "%s", algorithm);
            d->side = side_of_filter(p, i);
            report->digests++;
        }
    }
}

static void take_branch(struct report_branch *to, const struct branch *from, uint64_t taken)
{
    to->failed = from->failed;
    to->error = from->error;
    to->error.size = sizeof(to->error);
    to->error.node = to->to;
    to->error.taken = taken;
    to->error.delivered = to->delivered = from->delivered;
    to->error.held = to->held = from->held;
    to->discarded = from->discarded;
    memcpy(to->by_route, from->by_route, sizeof(to->by_route));
}

static void take_leg(leat_report *report, size_t index, const struct hop *hop)
{
    struct report_leg *leg = &report->leg[index];
    leg->taken = hop->taken;
    leg->rungs = hop->rungs;
    memcpy(leg->rung, hop->rung, sizeof(leg->rung));
    report->memory_peak += hop->budget->peak; /* at most so much was in use at once */
    for (size_t i = 0, k = 0; i < report->branches; i++)
        if (report->branch[i].leg == index)
            take_branch(&report->branch[i], &hop->branch[k++], leg->taken);
}

static bool name_leg(leat_report *report, size_t index, const struct hop *hop)
{
    bool all = !hop->in || (report->leg[index].from = strdup(hop->in->name));
    for (size_t i = 0; i < hop->branches && all; i++) {
        struct report_branch *branch = &report->branch[report->branches];
        branch->leg = index;
        all = (branch->to = strdup(hop->branch[i].node->name));
        report->branches += all;
    }
    return all;
}

static int make_room(leat_report *report, const leat_pipeline *p)
{
    report->legs = p->legs;
    report->sinks = p->sinks;
    report->leg = calloc(p->legs, sizeof(report->leg[0]));
    report->branch = calloc(p->legs + p->sinks, sizeof(report->branch[0]));
    if (!p->legs || !report->leg || !report->branch)
        return -ENOMEM;
    report->sink = report->branch + p->legs - 1;
    for (size_t i = 0; i < p->legs; i++)
        if (!name_leg(report, i, &p->leg[i].hop))
            return -ENOMEM;
    return 0;
}

static void take_said(leat_report *report, const leat_pipeline *p)
{
    for (size_t i = 0; i < p->legs; i++)
        said_take(&report->said, p->leg[i].hop.in);
    for (size_t i = 0; i < p->sinks; i++)
        said_take(&report->said, p->branch[i].node);
}

static uint64_t bytes_of(const leat_report *report)
{
    uint64_t good = UINT64_MAX, all = UINT64_MAX;
    for (size_t i = 0; i < report->sinks; i++) {
        all = MIN(all, report->sink[i].delivered);
        if (!report->sink[i].failed)
            good = MIN(good, report->sink[i].delivered);
    }
    return report->sinks == 0 ? report->leg[report->legs - 1].taken : good != UINT64_MAX ? good : all;
}

leat_report *report_new(const leat_pipeline *p)
{
    leat_report *report = calloc(1, sizeof(*report));
    if (report && make_room(report, p) == 0)
        return report;
    leat_report_free(report);
    return NULL;
}

void report_fill(leat_report *report, leat_pipeline *p, const struct leat_error *error,
                 const struct verdict_of_run *verdict)
{
    report->error = *error;
    report->error_node = strdup(error->node);
    report->error.node = report->error_node ? report->error_node : "";
    report->status = verdict->status;
    report->code = verdict->code;
    report->aborted = p->runner.error.code != 0;
    report->seconds = verdict->seconds;
    report->cpu_seconds = verdict->cpu_seconds;
    report->memory_codecs = plan_codecs(p);
    report->engine = p->engine->name;
    snprintf(report->engine_why, sizeof(report->engine_why), "%s", p->engine_why);
    for (size_t i = 0; i < p->legs; i++)
        take_leg(report, i, &p->leg[i].hop);
    report->bytes = bytes_of(report);
    take_said(report, p);
    if (p->runner.whole)
        take_digests(report, p);
}

int leat_report_of_error(leat_report **ret, const struct leat_error *error)
{
    struct leat_error own;
    int r = options_copy(&own, sizeof(own), error);
    if (r == 0)
        r = enum_check(own.side, LEAT_SIDE_SINK);
    if (r == 0 && (own.code == 0 || error_of_answer(own.code) != own.code))
        r = -EINVAL;
    if (r < 0)
        return r;
    leat_report *report = calloc(1, sizeof(*report));
    if (!report)
        return -ENOMEM;
    report->error = own;
    report->error.text[sizeof(own.text) - 1] = '\0';
    report->error_node = own.node ? strdup(own.node) : NULL;
    report->error.node = report->error_node ? report->error_node : "";
    report->error_operation = own.operation ? strdup(own.operation) : NULL;
    report->error.operation = report->error_operation ? report->error_operation : "";
    report->code = own.code;
    report->status = "failed";
    report->engine = "none";
    *ret = report;
    return 0;
}

/* ---- asking it ---- */

int leat_report_digest(const leat_report *report, const char *algorithm, char *ret, size_t capacity)
{
    for (size_t i = 0; i < report->digests; i++)
        if (strcasecmp(report->digest[i].algorithm, algorithm) == 0) {
            if (strlen(report->digest[i].hex) >= capacity)
                return -ENOSPC;
            strcpy(ret, report->digest[i].hex);
            return 0;
        }
    return -ENODATA;
}

int leat_report_digest_at(const leat_report *report, size_t index, const char **ret_algorithm, const char **ret_hex)
{
    if (index >= report->digests)
        return -ENOENT;
    *ret_algorithm = report->digest[index].algorithm;
    *ret_hex = report->digest[index].hex;
    return 0;
}

enum leat_side leat_report_digest_side(const leat_report *report, size_t index)
{
    return index < report->digests ? report->digest[index].side : LEAT_SIDE_NONE;
}

const struct leat_error *leat_report_error(const leat_report *report)
{
    return report->error.code ? &report->error : NULL;
}

const struct leat_error *leat_report_sink_error(const leat_report *report, size_t index)
{
    return index < report->sinks && report->sink[index].failed ? &report->sink[index].error : NULL;
}

uint64_t leat_report_bytes(const leat_report *report)
{
    return report->bytes;
}

/* ---- as JSON ---- */

static const char *side_name(int32_t side)
{
    static const char *const names[] = {"pipeline", "source", "filter", "sink"};
    return names[side];
}

/* JSON's numbers have a sign here. */
static json_int_t count(uint64_t n)
{
    return (json_int_t)MIN(n, (uint64_t)INT64_MAX);
}

static json_t *error_json(const struct leat_error *error)
{
    if (error->code == 0)
        return json_null();
    return json_pack("{s:s, s:I, s:o, s:s?, s:i, s:s, s:I, s:I, s:I, s:I, s:o}", "side", side_name(error->side),
                     "index", (json_int_t)error->index, "node", json_name(error->node), "operation", error->operation,
                     "errno", -error->code, "name", leat_errno_name(error->code), "offset", count(error->offset),
                     "taken", count(error->taken), "delivered", count(error->delivered), "held", count(error->held),
                     "text", json_name(error->text));
}

static json_t *digests_json(const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->digests; i++) {
        const struct report_digest *d = &report->digest[i];
        json_t *one = json_pack("{s:s, s:s, s:s, s:s?}", "algorithm", d->algorithm, "hex", d->hex, "side",
                                side_name(d->side), "provider", d->provider);
        if (d->why)
            json_set(&one, "provider_why", json_string(d->why));
        json_append(&list, one);
    }
    return list;
}

static const char *sink_status(const leat_report *report, const struct report_branch *sink)
{
    return sink->failed ? "failed" : report->aborted ? report->status : "done";
}

static json_t *sinks_json(const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->sinks; i++) {
        const struct report_branch *sink = &report->sink[i];
        json_append(&list,
                    json_pack("{s:o, s:s, s:I, s:o}", "spec", json_name(sink->to), "status", sink_status(report, sink),
                              "bytes", (json_int_t)sink->delivered, "error", error_json(&sink->error)));
    }
    return list;
}

static json_t *routes_json(const leat_report *report, const struct report_leg *leg, const uint64_t by_route[ROUTES_MAX])
{
    json_t *list = json_array();
    for (size_t i = 0; i < leg->rungs; i++) {
        const struct route *route = leg->rung[i].route;
        if (by_route[route->id])
            json_append(&list, json_pack("{s:s, s:s, s:I}", "route", route->name, "engine", report->engine, "bytes",
                                         (json_int_t)by_route[route->id]));
    }
    return list;
}

static json_t *rejected_json(const struct report_leg *leg)
{
    json_t *list = json_array();
    for (size_t i = 0; i < leg->rungs; i++)
        if (leg->rung[i].rejected)
            json_append(&list,
                        json_pack("{s:s, s:s}", "route", leg->rung[i].route->name, "reason", leg->rung[i].reason));
    return list;
}

static json_t *hops_json(const leat_report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->branches; i++) {
        const struct report_branch *branch = &report->branch[i];
        const struct report_leg *leg = &report->leg[branch->leg];
        json_append(&list, json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "from", json_name(leg->from), "to",
                                     json_name(branch->to), "taken", (json_int_t)leg->taken, "delivered",
                                     (json_int_t)branch->delivered, "held", (json_int_t)branch->held, "discarded",
                                     (json_int_t)branch->discarded, "routes",
                                     routes_json(report, leg, branch->by_route), "rejected", rejected_json(leg)));
    }
    return list;
}

int leat_report_json(const leat_report *report, char **ret)
{
    json_t *root =
        json_pack("{s:s, s:s, s:I, s:f, s:f, s:I, s:I, s:s, s:o, s:o, s:o, s:o}", "type", "report", "status",
                  report->status, "bytes", (json_int_t)report->bytes, "seconds", report->seconds, "cpu_seconds",
                  report->cpu_seconds, "memory_peak", (json_int_t)report->memory_peak, "memory_codecs",
                  (json_int_t)report->memory_codecs, "engine", report->engine, "digests", digests_json(report), "sinks",
                  sinks_json(report), "hops", hops_json(report), "error", error_json(&report->error));
    if (report->engine_why[0])
        json_set(&root, "engine_why", json_string(report->engine_why));
    if (report->said.n)
        json_set(&root, "stderr", said_json(&report->said));
    char *line = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (!line)
        return -ENOMEM;
    size_t n = strlen(line);
    char *with_newline = realloc(line, n + 2);
    if (!with_newline) {
        free(line);
        return -ENOMEM;
    }
    strcpy(with_newline + n, "\n");
    *ret = with_newline;
    return 0;
}

/* ---- for people ---- */

static void print_error(FILE *to, const struct leat_error *error)
{
    fprintf(to, "  %s: ", side_name(error->side));
    quote_print(to, error->node);
    fprintf(to, "%s%s at byte %llu: %s\n", error->node[0] ? ": " : "", error->operation,
            (unsigned long long)error->offset, error->text);
}

static void print_branch(FILE *to, const leat_report *report, const struct report_branch *branch)
{
    const struct report_leg *leg = &report->leg[branch->leg];
    char size[32];
    quote_print(to, leg->from ? leg->from : "?");
    fputs(" -> ", to);
    quote_print(to, branch->to);
    fprintf(to, ": %s, %s", sink_status(report, branch), size_format(branch->delivered, size, sizeof(size)));
    for (size_t i = 0; i < leg->rungs; i++) {
        const struct route *route = leg->rung[i].route;
        if (branch->by_route[route->id])
            fprintf(to, ", %s %llu", route->name, (unsigned long long)branch->by_route[route->id]);
    }
    fputc('\n', to);
    if (branch->held || branch->discarded)
        fprintf(to, "  taken %llu = delivered %llu + held %llu + discarded %llu\n", (unsigned long long)leg->taken,
                (unsigned long long)branch->delivered, (unsigned long long)branch->held,
                (unsigned long long)branch->discarded);
    if (branch->failed)
        print_error(to, &branch->error);
}

static void print_leg(FILE *to, const leat_report *report, const struct report_leg *leg)
{
    for (size_t i = 0; i < report->branches; i++)
        if (&report->leg[report->branch[i].leg] == leg)
            print_branch(to, report, &report->branch[i]);
    for (size_t i = 0; i < leg->rungs; i++)
        if (leg->rung[i].rejected)
            fprintf(to, "  not %s: %s\n", leg->rung[i].route->name, leg->rung[i].reason);
}

int leat_report_text(const leat_report *report, char **ret)
{
    char *text = NULL, size[32];
    size_t n;
    FILE *to = open_memstream(&text, &n);
    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < report->legs; i++)
        print_leg(to, report, &report->leg[i]);
    if (report->engine_why[0])
        fprintf(to, "  engine %s: %s\n", report->engine, report->engine_why);
    for (size_t i = 0; i < report->digests; i++)
        fprintf(to, "  %s %s (%s%s%s)\n", report->digest[i].algorithm, report->digest[i].hex,
                report->digest[i].provider, report->digest[i].why ? "; " : "",
                report->digest[i].why ? report->digest[i].why : "");
    if (report->error.code && (report->aborted || report->sinks == 0))
        print_error(to, &report->error);
    said_print(to, &report->said);
    double rate = report->seconds > 0 ? (double)report->bytes / report->seconds : 0;
    fprintf(to, "%s: %llu bytes in %.3f s, %s/s, %.3f s of processor time\n", report->status,
            (unsigned long long)report->bytes, report->seconds, size_format((uint64_t)rate, size, sizeof(size)),
            report->cpu_seconds);
    if (fclose(to) != 0) {
        free(text);
        return -ENOMEM;
    }
    *ret = text;
    return 0;
}

void leat_report_free(leat_report *report)
{
    if (!report)
        return;
    for (size_t i = 0; i < report->branches; i++)
        free(report->branch[i].to);
    for (size_t i = 0; report->leg && i < report->legs; i++)
        free(report->leg[i].from);
    free(report->branch);
    free(report->leg);
    said_free(&report->said);
    free(report->error_node);
    free(report->error_operation);
    free(report);
}
