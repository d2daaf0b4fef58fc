/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "servers.h"
#include "trace.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 4096

enum {
    OPTION_DIGEST = 1000,
    OPTION_EXPECT,
    OPTION_PROVIDER,
    OPTION_MEMORY,
    OPTION_PIPE_SIZE,
    OPTION_BUFFER,
    OPTION_RATE,
    OPTION_CONNECT_TIMEOUT,
    OPTION_IDLE_TIMEOUT,
    OPTION_TOTAL_TIMEOUT,
    OPTION_RETRIES,
    OPTION_PART_SIZE,
    OPTION_RESUME,
    OPTION_CHECKSUM,
    OPTION_STREAMS,
    OPTION_ROUTE,
    OPTION_NO_LEARN,
    OPTION_ENGINE,
    OPTION_CACHE,
    OPTION_SOURCE,
    OPTION_EXPLAIN,
    OPTION_PROGRESS,
    OPTION_REPORT,
    OPTION_APPEND,
    OPTION_IN_PLACE,
    OPTION_OFFSET,
    OPTION_LENGTH,
    OPTION_NO_CLOBBER,
    OPTION_REPLACE,
    OPTION_FORCE,
    OPTION_DROP_ATTRIBUTES,
    OPTION_SYNC,
    OPTION_PRESERVE,
    OPTION_SPARSE,
    OPTION_SLOW,
    OPTION_HELP = 'h',
    OPTION_VERBOSE = 'v',
    OPTION_RECURSIVE = 'r',
    OPTION_ARCHIVE = 'a',
};

static const struct option longs[] = {
    {"digest", required_argument, NULL, OPTION_DIGEST},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"digest-provider", required_argument, NULL, OPTION_PROVIDER},
    {"memory-limit", required_argument, NULL, OPTION_MEMORY},
    {"pipe-size", required_argument, NULL, OPTION_PIPE_SIZE},
    {"buffer", required_argument, NULL, OPTION_BUFFER},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"connect-timeout", required_argument, NULL, OPTION_CONNECT_TIMEOUT},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
    {"part-size", required_argument, NULL, OPTION_PART_SIZE},
    {"resume", required_argument, NULL, OPTION_RESUME},
    {"checksum-algorithm", required_argument, NULL, OPTION_CHECKSUM},
    {"total-timeout", required_argument, NULL, OPTION_TOTAL_TIMEOUT},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"streams", required_argument, NULL, OPTION_STREAMS},
    SERVER_OPTIONS,
    {"route", required_argument, NULL, OPTION_ROUTE},
    {"no-learn", no_argument, NULL, OPTION_NO_LEARN},
    {"engine", required_argument, NULL, OPTION_ENGINE},
    {"cache", required_argument, NULL, OPTION_CACHE},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"explain", optional_argument, NULL, OPTION_EXPLAIN},
    {"progress", optional_argument, NULL, OPTION_PROGRESS},
    {"report", optional_argument, NULL, OPTION_REPORT},
    TRACE_OPTION,
    {"append", no_argument, NULL, OPTION_APPEND},
    {"in-place", no_argument, NULL, OPTION_IN_PLACE},
    {"offset", required_argument, NULL, OPTION_OFFSET},
    {"length", required_argument, NULL, OPTION_LENGTH},
    {"no-clobber", no_argument, NULL, OPTION_NO_CLOBBER},
    {"replace", no_argument, NULL, OPTION_REPLACE},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"drop-attributes", no_argument, NULL, OPTION_DROP_ATTRIBUTES},
    {"sync", no_argument, NULL, OPTION_SYNC},
    {"preserve", no_argument, NULL, OPTION_PRESERVE},
    {"sparse", optional_argument, NULL, OPTION_SPARSE},
    {"slow-sink", required_argument, NULL, OPTION_SLOW},
    {"recursive", no_argument, NULL, OPTION_RECURSIVE},
    {"archive", no_argument, NULL, OPTION_ARCHIVE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* Finds a word in a list that ends in NULL and stores its index. */
static int size(const char *command, const char *option, const char *text, uint64_t *ret)
{
    int r = leat_size_parse(text, ret);
    if (r < 0)
        return cli_usage(command, "--%s: '%s' is %s: write 4096, 64K, 1.5G or 10MB", option, text,
                         r == -ERANGE ? "too large" : "no size");
    return 0;
}

static int pipe_size(const char *command, const char *text, int64_t *ret)
{
    uint64_t bytes;
    *ret = -1;
    if (strcmp(text, "keep") == 0)
        return 0;
    if (leat_size_parse(text, &bytes) < 0 || bytes == 0 || bytes > INT64_MAX)
        return cli_usage(command, "--pipe-size: '%s' is no size of a pipe: write 256K, 1M or keep", text);
    *ret = (int64_t)bytes;
    return 0;
}

static int buffer(const char *command, const char *text)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_filter_buffer_parse(&options, text, &error);
    return r < 0 ? cli_usage(command, "--buffer: %s", error.text) : 0;
}

/* Is it a size in powers of 1000? KB, MB and so on are; K and KiB are not. */
static bool is_decimal(const char *text)
{
    size_t n = strlen(text);
    return n > 2 && (text[n - 1] == 'B' || text[n - 1] == 'b') && strchr("KMGTPEkmgtpe", text[n - 2]);
}

/* Reads a duration into milliseconds. -1: "none". */
static int duration(const char *command, const char *option, const char *text, int32_t *ret_ms)
{
    if (leat_time_parse(text, ret_ms) < 0)
        return cli_usage(command, "--%s: '%s' is no time: write 5s, 500ms, 2m or none", option, text);
    return 0;
}

static int streams(const char *command, const char *text, int32_t *ret)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    bool is_auto = strcmp(text, "auto") == 0;
    if (!is_auto && (!isdigit((unsigned char)text[0]) || *end || errno || n < 1 || n > LEAT_STREAMS_MAX))
        return cli_usage(command, "--streams: '%s' is no number of connections: write 1 to %d, or auto", text,
                         LEAT_STREAMS_MAX);
    *ret = is_auto ? 0 : (int32_t)n;
    return 0;
}

/* Reads the value of --report: [text|json][:FILE]. */
static int report(struct copy_options *o, const char *command, const char *text)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    size_t n = text ? (colon ? (size_t)(colon - text) : strlen(text)) : 0;
    if (n == 0 || (n == 4 && strncmp(text, "text", n) == 0))
        o->report = REPORT_TEXT;
    else if (n == 4 && strncmp(text, "json", n) == 0)
        o->report = REPORT_JSON;
    else
        return cli_usage(command, "--report does not know '%s'; write text, json or json:FILE", text);
    o->report_file = colon ? colon + 1 : NULL;
    return 0;
}

/* Adds the value of a repeated option to a comma-separated list. */
static int add_to_list(const char *command, const char *option, char list[LIST_MAX], const char *text)
{
    size_t n = strlen(list);
    if (n + strlen(text) + 2 > LIST_MAX)
        return cli_usage(command, "--%s: that is too much", option);
    if (n)
        list[n++] = ',';
    strcpy(list + n, text);
    return 0;
}

static int write_mode(struct copy_options *o, const char *command, enum leat_write_mode mode)
{
    if (o->sink.write_mode != LEAT_WRITE_PUBLISH && o->sink.write_mode != (int32_t)mode)
        return cli_usage(command, "--append and --in-place exclude each other");
    o->sink.write_mode = mode;
    return 0;
}

static int slow_sink(const char *command, const char *value, struct leat_sink_options *o)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_pipeline_slow_sink_parse(o, value, &error);
    return r < 0 ? cli_usage(command, "--slow-sink: %s", error.text) : 0;
}

static const char replace_or_not[] = "--replace and --no-clobber exclude each other";

static int set(struct copy_options *o, const char *command, int option, const char *value)
{
    static const char *const stability[] = {"live", "stable", NULL};
    static const char *const provider[] = {"auto", "user", "kernel", NULL};
    static const char *const sparse[] = {"auto", "always", "never", NULL};
    static const char *const cache[] = {"keep", "drop", "direct", NULL};
    static const char *const progress[] = {"auto", "bar", "json", "never", NULL};
    static const char *const explain[] = {"text", "json", NULL};
    static char digests[LIST_MAX], expected[LIST_MAX];
    int32_t word = 0;
    int r = 0;
    switch (option) {
    case OPTION_DIGEST:
        o->digest = digests;
        return add_to_list(command, "digest", digests, value);
    case OPTION_EXPECT:
        o->pipeline.expect = expected;
        return add_to_list(command, "expect", expected, value);
    case OPTION_PROVIDER:
        return cli_choose(command, "digest-provider", value, provider, &o->pipeline.digest_provider);
    case OPTION_MEMORY:
        r = size(command, "memory-limit", value, &o->pipeline.memory_limit);
        return r == 0 && o->pipeline.memory_limit == 0 ? cli_usage(command, "--memory-limit must be more than 0") : r;
    case OPTION_PIPE_SIZE:
        return pipe_size(command, value, &o->pipeline.pipe_size);
    case OPTION_BUFFER:
        o->pipeline.buffer = value;
        return buffer(command, value);
    case OPTION_RATE:
        r = size(command, "rate", value, &o->pipeline.rate);
        o->decimal = is_decimal(value);
        return r == 0 && o->pipeline.rate == 0 ? cli_usage(command, "--rate must be more than 0") : r;
    case OPTION_CONNECT_TIMEOUT:
        return duration(command, "connect-timeout", value, &o->sink.connect_timeout_ms);
    case OPTION_IDLE_TIMEOUT:
        return duration(command, "idle-timeout", value, &o->sink.idle_timeout_ms);
    case OPTION_PART_SIZE:
        return size(command, "part-size", value, &o->sink.part_size);
    case OPTION_RESUME:
        o->sink.resume = value;
        return 0;
    case OPTION_CHECKSUM:
        o->sink.checksum = value;
        return 0;
    case OPTION_TOTAL_TIMEOUT:
        return duration(command, "total-timeout", value, &o->sink.total_timeout_ms);
    case OPTION_RETRIES:
        return cli_retries(command, value, &o->sink.retries);
    case OPTION_STREAMS:
        return streams(command, value, &o->sink.streams);
    case OPTION_ROUTE:
        o->pipeline.route = value;
        return 0;
    case OPTION_NO_LEARN:
        o->pipeline.no_learn = 1;
        return 0;
    case OPTION_ENGINE:
        o->pipeline.engine = value;
        return 0;
    case OPTION_CACHE:
        return cli_choose(command, "cache", value, cache, &o->pipeline.cache);
    case OPTION_SOURCE:
        return cli_choose(command, "source", value, stability, &o->pipeline.stability);
    case OPTION_EXPLAIN:
        r = cli_choose(command, "explain", value ? value : "text", explain, &word);
        o->explain = word == 0 ? EXPLAIN_TEXT : EXPLAIN_JSON;
        return r;
    case OPTION_PROGRESS:
        r = cli_choose(command, "progress", value ? value : "bar", progress, &word);
        o->progress = (enum progress_mode)word;
        return r;
    case OPTION_REPORT:
        return report(o, command, value);
    case OPTION_VERBOSE:
        return o->report == REPORT_NO ? report(o, command, NULL) : 0;
    case OPTION_TRACE:
        return trace_choose(command, value, &o->trace);
    case OPTION_APPEND:
        return write_mode(o, command, LEAT_WRITE_APPEND);
    case OPTION_IN_PLACE:
        return write_mode(o, command, LEAT_WRITE_IN_PLACE);
    case OPTION_OFFSET:
        return size(command, "offset", value, &o->pipeline.offset);
    case OPTION_LENGTH:
        o->pipeline.has_length = 1;
        return size(command, "length", value, &o->pipeline.length);
    case OPTION_NO_CLOBBER:
        o->no_clobber = true;
        o->sink.no_clobber = 1;
        return o->replace ? cli_usage(command, "%s", replace_or_not) : 0;
    case OPTION_REPLACE:
        o->replace = true;
        return o->sink.no_clobber ? cli_usage(command, "%s", replace_or_not) : 0;
    case OPTION_FORCE:
        o->sink.force = 1;
        return 0;
    case OPTION_DROP_ATTRIBUTES:
        o->sink.drop_attributes = 1;
        return 0;
    case OPTION_SYNC:
        o->sink.sync = 1;
        return 0;
    case OPTION_PRESERVE:
        o->sink.preserve = 1;
        return 0;
    case OPTION_SPARSE:
        return cli_choose(command, "sparse", value ? value : "always", sparse, &o->pipeline.sparse);
    case OPTION_SLOW:
        return slow_sink(command, value, &o->branch);
    default:
        return servers_set(&o->sink, command, option, value);
    }
}

/* Does a word from this one on ask for a tree? Then an option that is not known here may be one of trees. */
static bool has_tree_option(const char *command, int from, int argc, char **argv)
{
    for (int i = from; i < argc && strcmp(command, "copy") == 0 && strcmp(argv[i], "--") != 0; i++) {
        const char *letters = argv[i] + 1;
        bool is_short = argv[i][0] == '-' && letters[0] && strspn(letters, "hvraun") == strlen(letters);
        if ((is_short && strpbrk(letters, "ra")) || strcmp(argv[i], "--recursive") == 0 ||
            strcmp(argv[i], "--archive") == 0)
            return true;
    }
    return false;
}

int options_parse(struct copy_options *o, const char *command, int argc, char **argv)
{
    *o = (struct copy_options){.pipeline = LEAT_INIT(struct leat_pipeline_options),
                               .sink = LEAT_INIT(struct leat_endpoint_options),
                               .branch = LEAT_INIT(struct leat_sink_options)};
    o->pipeline.pipe_size = LEAT_PIPE_SIZE; /* the command's pipes are there for it alone */
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hvra", longs, NULL)) != -1) {
        /* --resume has a value only without trees. */
        bool has_value = option == OPTION_RESUME && optarg == argv[optind - 1];
        if ((option == '?' || has_value) && has_tree_option(command, optind - has_value, argc, argv))
            return OPTIONS_TREE;
        if (option == '?')
            return cli_unknown_option(command, longs, argv[optind - 1]);
        if (option == ':')
            return cli_usage(command, "'%s' wants a value", argv[optind - 1]);
        bool is_tree = option == OPTION_RECURSIVE || option == OPTION_ARCHIVE;
        if (is_tree && strcmp(command, "copy") != 0)
            return cli_usage(command, "only `leat copy` copies trees");
        int r = is_tree ? OPTIONS_TREE : set(o, command, option, optarg);
        if (r != 0)
            return r;
    }
    return trace_begin(o->trace);
}

const char *options_advice(const struct copy_options *o, const struct leat_error *error)
{
    return error->advice == LEAT_ADVICE_REPLACE && o->no_clobber ? NULL : cli_advice(error);
}

void options_several(struct copy_options *o, size_t sinks)
{
    if (sinks > 1 && !o->replace && o->sink.write_mode == LEAT_WRITE_PUBLISH)
        o->sink.no_clobber = 1;
}
