/* SPDX-License-Identifier: MIT */
#include "places.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- comparing places ---- */

/* An object in a store is never the same as a descriptor, and opening it may ask programs and servers for keys. */
static bool is_in_store(const char *spec)
{
    static const char *const schemes[] = {"http:", "https:", "s3:", "oci:"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncmp(spec, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* Opens an endpoint, which changes nothing. NULL: the endpoint can't be opened, so it is the same as nothing. */
static leat_endpoint *look(const char *spec, enum leat_direction direction)
{
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    leat_endpoint *endpoint;
    if (is_in_store(spec))
        return NULL;
    options.write_mode = direction == LEAT_WRITE ? LEAT_WRITE_IN_PLACE : LEAT_WRITE_PUBLISH;
    return leat_endpoint_open(&endpoint, spec, direction, &options, NULL) == 0 ? endpoint : NULL;
}

static bool is_same(const char *a, enum leat_direction a_direction, const char *b, enum leat_direction b_direction)
{
    leat_endpoint *one = look(a, a_direction), *other = look(b, b_direction);
    bool same = one && other && leat_endpoint_is_same(one, other) == 1;
    leat_endpoint_close(one);
    leat_endpoint_close(other);
    return same;
}

static bool is_null_device(int fd)
{
    struct stat st, null;
    return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == null.st_rdev;
}

bool places_is_stdout(const char *spec)
{
    return !is_null_device(STDOUT_FILENO) && is_same(spec, LEAT_WRITE, "fd:1", LEAT_WRITE);
}

bool places_is_stderr(const char *spec)
{
    return !is_null_device(STDERR_FILENO) && is_same(spec, LEAT_WRITE, "fd:2", LEAT_WRITE);
}

static const char *sink_name(const leat_pipeline *pipeline, size_t index)
{
    return leat_pipeline_name(pipeline, LEAT_SIDE_SINK, index);
}

bool places_sink_is_stdout(const leat_pipeline *pipeline)
{
    for (size_t i = 0; sink_name(pipeline, i); i++)
        if (places_is_stdout(sink_name(pipeline, i)))
            return true;
    return false;
}

/* Is standard error a sink? A terminal is not counted, since it shows both. */
static bool stderr_is_data(const leat_pipeline *pipeline)
{
    for (size_t i = 0; !isatty(STDERR_FILENO) && sink_name(pipeline, i); i++)
        if (places_is_stderr(sink_name(pipeline, i)))
            return true;
    return false;
}

FILE *places_of_digests(const leat_pipeline *pipeline)
{
    if (!places_sink_is_stdout(pipeline))
        return stdout;
    return stderr_is_data(pipeline) ? NULL : stderr;
}

/* ---- the file of a report ---- */

/* Turns the name of a file into a spec that the library reads as a path whatever it begins with; "-" stays
 * standard output. */
static char *spec_of_file(const char *file)
{
    size_t n = strlen(file) + sizeof("file:");
    char *spec = malloc(n);
    if (spec)
        snprintf(spec, n, strcmp(file, "-") == 0 ? "fd:1" : "file:%s", file);
    return spec;
}

bool places_is_file(const char *file, const char *other, enum leat_direction direction)
{
    char *spec = spec_of_file(file);
    bool same = spec && is_same(spec, LEAT_WRITE, other, direction);
    free(spec);
    return same;
}

static bool report_is(const struct copy_options *o, const char *other, enum leat_direction direction)
{
    return o->report_file && places_is_file(o->report_file, other, direction);
}

/* Does the file keep its content? A character device does not, so nothing can be lost there. */
static bool is_kept(const char *file)
{
    struct stat st;
    return stat(file, &st) < 0 || !S_ISCHR(st.st_mode);
}

static int check_one(const struct copy_options *o, const char *command, const char *spec, bool source)
{
    if (!o->report_file || !is_kept(o->report_file) || !report_is(o, spec, source ? LEAT_READ : LEAT_WRITE))
        return 0;
    return cli_usage(command, "--report: %s is %s, and would be lost", cli_name(o->report_file),
                     source ? "the source" : "a sink");
}

int places_check_specs(const struct copy_options *o, const char *command, size_t count, char *const spec[])
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = check_one(o, command, spec[i], i == 0);
    return r;
}

int places_check(const struct copy_options *o, const char *command, const leat_pipeline *pipeline, bool digests)
{
    const char *source = leat_pipeline_name(pipeline, LEAT_SIDE_SOURCE, 0);
    int r = source ? check_one(o, command, source, true) : 0;
    for (size_t i = 0; r == 0 && sink_name(pipeline, i); i++)
        r = check_one(o, command, sink_name(pipeline, i), false);
    bool bar = o->progress == PROGRESS_BAR || o->progress == PROGRESS_JSON;
    bool speaks = bar || o->trace != TRACE_NO || (!o->report_file && (digests || o->report != REPORT_NO));
    if (r != 0 || o->explain != EXPLAIN_NO || !speaks || !stderr_is_data(pipeline))
        return r;
    if (o->report != REPORT_NO && !o->report_file)
        return cli_usage(command, "--report: standard error is a sink; --report=json:FILE writes to FILE");
    if (o->trace != TRACE_NO)
        return cli_usage(command, "--trace: standard error is a sink");
    if (bar)
        return cli_usage(command, "--progress: standard error is a sink");
    if (digests && !o->report_file && !places_of_digests(pipeline))
        return cli_usage(command, "standard output and standard error are both sinks, so a digest can't be printed; "
                                  "--report=json:FILE has it");
    return 0;
}

/* Copies the next word of a pipeline's text without its quotes into `ret`, which has room for the whole text. Returns
 * the end of the word in the text, or NULL if there are no more words. */
static const char *next_word(const char *at, char *ret)
{
    at += strspn(at, " \t\n|&");
    if (!*at)
        return NULL;
    for (char quote = 0; *at && (quote || !strchr(" \t\n|&", *at)); at++)
        if (*at == quote)
            quote = 0;
        else if (!quote && (*at == '\'' || *at == '"'))
            quote = *at;
        else if (*at == '\\' && quote != '\'' && at[1])
            *ret++ = *++at;
        else
            *ret++ = *at;
    *ret = '\0';
    return at;
}

int places_check_text(const struct copy_options *o, const char *command, const char *text)
{
    char *word = malloc(strlen(text) + 1);
    int r = 0;
    for (const char *at = text; o->report_file && word && r == 0 && (at = next_word(at, word));)
        if (report_is(o, word, LEAT_READ) || report_is(o, word, LEAT_WRITE))
            r = cli_usage(command, "--report: %s is in the pipeline, and would be lost", cli_name(o->report_file));
    free(word);
    return r;
}

static int failed(const struct copy_options *o)
{
    cli_warn("report %s: %s", o->report_file ? cli_name(o->report_file) : "to standard error", strerror(errno));
    return EXIT_FAILED;
}

/* Opening a FIFO waits for its reader, so it is opened last. */
static bool is_fifo(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

int places_open_report(struct copy_options *o)
{
    if (o->report == REPORT_NO || !o->report_file || is_fifo(o->report_file))
        return 0;
    if (strcmp(o->report_file, "-") == 0 || report_is(o, "fd:1", LEAT_WRITE))
        o->report_stream = stdout;
    else if (report_is(o, "fd:2", LEAT_WRITE))
        o->report_stream = stderr;
    else {
        int fd = open(o->report_file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
        o->report_stream = fd < 0 ? NULL : fdopen(fd, "w");
    }
    return o->report_stream ? 0 : failed(o);
}

int places_write_report(struct copy_options *o, const char *text)
{
    struct stat st;
    if (o->report_file && !o->report_stream && !is_fifo(o->report_file) && places_open_report(o) != 0)
        return EXIT_FAILED;
    FILE *to = !o->report_file ? stderr : o->report_stream ? o->report_stream : fopen(o->report_file, "we");
    if (!to)
        return failed(o);
    bool own = to != stdout && to != stderr;
    bool bad = own && fstat(fileno(to), &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fileno(to), 0) < 0;
    bad |= fputs(text, to) < 0;
    bad |= own && fclose(to) != 0;
    o->report_stream = NULL;
    return !bad           ? 0
           : to == stdout ? EXIT_FAILED /* cli_end prints the message */
                          : failed(o);
}
