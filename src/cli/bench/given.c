/* SPDX-License-Identifier: MIT */
/* Measures between the source and the sink that the user names. The source must be readable repeatedly. A sink that
 * exists is not overwritten unless the user asks for it. */
#include "bench/flow.h"
#include "bench/peer.h"
#include "bench/place.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER_PIPE (1u << 20)

struct given {
    struct ends ends;
    const char *source, *sink; /* specs for the library */
    int rewind[2];             /* descriptors whose offset a run moves; -1: none */
    off_t start[2];            /* the offset before the run */
    struct leat_endpoint_options how;
    struct bench_place place;
    bool replaces; /* the target exists, so each run replaces a file */
    bool reads;    /* the sink is a pipe to a thread that reads */
    int fd;        /* the writing end of that pipe; -1: the thread does not run */
    struct peer reader;
};

/* ---- specs ---- */

static const char *without_file(const char *spec)
{
    return strncmp(spec, "file:", 5) == 0 ? spec + 5 : spec;
}

static int number_behind(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    char *end;
    if (strncmp(text, prefix, n) != 0 || text[n] < '0' || text[n] > '9')
        return -1;
    long number = strtol(text + n, &end, 10);
    return *end || number > INT_MAX ? -1 : (int)number;
}

/* Returns the descriptor that the spec names, or -1. */
static int descriptor_of(const char *spec, int standard)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    static const char *const prefixes[] = {"/dev/fd/", "/proc/self/fd/"};
    int fd = number_behind(spec, "fd:");
    if (strcmp(spec, "-") == 0)
        return standard;
    spec = without_file(spec);
    for (int i = 0; i < 3; i++)
        if (strcmp(spec, names[i]) == 0)
            return i;
    for (size_t i = 0; i < 2 && fd < 0; i++)
        fd = number_behind(spec, prefixes[i]);
    return fd;
}

/* Does the spec begin with a scheme, by the library's rule: a lower-case word and a colon? */
static bool has_scheme(const char *spec)
{
    size_t n = strspn(spec, "abcdefghijklmnopqrstuvwxyz0123456789+-");
    return n > 0 && spec[0] >= 'a' && spec[0] <= 'z' && spec[n] == ':';
}

static bool same_name(const char *spec, const char *scheme)
{
    return strcmp(spec, scheme) == 0;
}

/* Reads the status of the file that the spec names. Returns 0, or a negative errno. */
static int look(const char *spec, int standard, struct stat *ret, int *ret_fd)
{
    *ret_fd = descriptor_of(spec, standard);
    return (*ret_fd >= 0 ? fstat(*ret_fd, ret) : stat(without_file(spec), ret)) < 0 ? -errno : 0;
}

static bool is_dev_null(const struct stat *st)
{
    struct stat null;
    return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && null.st_rdev == st->st_rdev;
}

static bool is_null(const char *spec)
{
    struct stat st;
    return same_name(spec, "null:") || (stat(without_file(spec), &st) == 0 && is_dev_null(&st));
}

static bool is_terminal(const char *spec, int fd)
{
    int own = fd >= 0 ? fd : open(without_file(spec), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    bool answer = own >= 0 && isatty(own);
    if (own >= 0 && own != fd)
        close(own);
    return answer;
}

static int refuse(const char *spec, const char *why)
{
    cli_warn("bench: %s: %s", cli_name(spec), why);
    return EXIT_FAILED;
}

/* Lets the library check the spec first, so that a misspelt spec gets the library's message. */
static int resolve(const char *spec, enum leat_direction direction)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *endpoint;
    if (leat_endpoint_open(&endpoint, spec, direction, NULL, &error) < 0)
        return refuse(spec, error.text);
    leat_endpoint_close(endpoint);
    return 0;
}

/* Remembers the offset of a descriptor. It is restored before each run and at the end. */
static void keep_offset(struct given *g, int side, int fd)
{
    g->rewind[side] = fd;
    g->start[side] = fd >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
}

static void put_back(struct given *g)
{
    for (int side = 0; side < 2; side++)
        if (g->rewind[side] >= 0 && g->start[side] >= 0)
            lseek(g->rewind[side], g->start[side], SEEK_SET);
}

/* ---- the source ---- */

static const char once[] = "it can be read only once, and every way is to read the same: save it in a file first";

/* A file that is short enough is copied as a whole, since some routes take only whole files. */
static int use_source(struct given *g, const struct bench_options *o)
{
    struct stat st;
    int fd;
    g->ends.length = o->size;
    if (same_name(g->source, "zero:"))
        return 0;
    if (same_name(g->source, "null:"))
        return refuse(g->source, "there is nothing to read");
    if (descriptor_of(g->source, 0) < 0 && has_scheme(g->source) && without_file(g->source) == g->source)
        return refuse(g->source, once);
    int r = look(g->source, 0, &st, &fd);
    if (r < 0)
        return refuse(g->source, strerror(-r));
    if (is_dev_null(&st))
        return refuse(g->source, "there is nothing to read");
    bool again = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
    if (!again && (!S_ISCHR(st.st_mode) || is_terminal(g->source, fd)))
        return refuse(g->source, once);
    if (again)
        keep_offset(g, 0, fd);
    if (S_ISREG(st.st_mode) && st.st_size == 0)
        return refuse(g->source, "it is empty: there is nothing to measure");
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size <= o->size)
        g->ends.length = 0;
    return 0;
}

/* ---- the sink ---- */

/* Returns the folder in which a file of this name is published. */
static char *folder_of(const char *path, bool exists)
{
    char *whole = exists ? realpath(path, NULL) : strdup(path);
    char *slash = whole ? strrchr(whole, '/') : NULL;
    if (whole && !slash)
        strcpy(whole, "."); /* a name has at least one character */
    else if (slash == whole && whole)
        slash[1] = '\0';
    else if (slash)
        *slash = '\0';
    return whole;
}

static int use_copy_of_sink(struct given *g, const char *path, bool exists)
{
    char *folder = folder_of(path, exists);
    int r = folder ? place_make(&g->place, folder) : -errno;
    free(folder);
    if (r < 0) {
        char why[REASON];
        snprintf(why, sizeof(why), "nothing can be written beside it: %s", strerror(-r));
        return refuse(path, why);
    }
    g->sink = g->place.target_spec;
    g->replaces = exists;
    return 0;
}

static int use_sink(struct given *g, const struct bench_options *o)
{
    struct stat st;
    int fd;
    if (same_name(g->sink, "null:"))
        return 0;
    if (descriptor_of(g->sink, 1) == 1)
        return refuse(g->sink, "the results go to standard output");
    bool named = descriptor_of(g->sink, 1) < 0 && has_scheme(g->sink) && without_file(g->sink) == g->sink;
    int r = named ? 0 : look(g->sink, 1, &st, &fd);
    if (!named && r == 0 && is_dev_null(&st))
        return 0;
    if (r == -ENOENT && lstat(without_file(g->sink), &st) == 0)
        return refuse(g->sink, "it is a symbolic link that leads nowhere");
    if (r == -ENOENT)
        return use_copy_of_sink(g, without_file(g->sink), false);
    if (r < 0)
        return refuse(g->sink, strerror(-r));
    if (!named && S_ISREG(st.st_mode) && fd < 0 && !o->overwrite)
        return use_copy_of_sink(g, without_file(g->sink), true);
    if (!o->overwrite)
        return refuse(g->sink, "every run would write to it: say --overwrite if nothing is there that you will miss");
    if (!named && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        keep_offset(g, 1, fd);
    g->how.write_mode = LEAT_WRITE_IN_PLACE;
    return 0;
}

/* ---- the row ---- */

static int open_sink(struct given *g, leat_endpoint **ret, struct leat_error *error)
{
    if (!g->reads)
        return leat_endpoint_open(ret, g->sink, LEAT_WRITE, &g->how, error);
    int fd = peer_pipe(&g->reader, PEER_SUM, READER_PIPE, 0);
    if (fd < 0) {
        snprintf(error->text, sizeof(error->text), "no pipe: %s", strerror(-fd));
        return fd;
    }
    g->fd = fd;
    return leat_endpoint_from_fd(ret, fd, LEAT_BORROW);
}

static int finish(struct ends *ends, uint64_t bytes, double *ret_cpu)
{
    struct given *g = (struct given *)ends;
    *ret_cpu = 0;
    if (g->fd < 0)
        return 0;
    close(g->fd);
    g->fd = -1;
    peer_join(&g->reader);
    *ret_cpu = g->reader.cpu_seconds;
    return bytes != UINT64_MAX && g->reader.bytes != bytes ? -EIO : 0;
}

static int begin(struct ends *ends, leat_endpoint **ret_source, leat_endpoint **ret_sink, char reason[REASON])
{
    struct given *g = (struct given *)ends;
    struct leat_error error = LEAT_INIT(struct leat_error);
    put_back(g);
    int r = leat_endpoint_open(ret_source, g->source, LEAT_READ, NULL, &error);
    if (r == 0) {
        r = open_sink(g, ret_sink, &error);
        if (r < 0) {
            double unused;
            leat_endpoint_close(*ret_source);
            finish(ends, UINT64_MAX, &unused); /* its reader may run already */
        }
    }
    if (r < 0)
        snprintf(reason, REASON, "%s", error.text);
    return r;
}

static void clean(struct ends *ends)
{
    struct given *g = (struct given *)ends;
    if (g->place.folder && !g->replaces)
        unlink(g->place.target);
}

/* Refuses what the copy itself would refuse, such as a file onto itself. */
static int check(const char *source, const char *sink, const struct bench_options *o)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *in, *out;
    leat_pipeline *pipeline;
    options.has_length = 1;
    options.length = o->size;
    int r = resolve(source, LEAT_READ);
    if (r == 0)
        r = resolve(sink, LEAT_WRITE);
    if (r || leat_pipeline_new(&pipeline, &options, NULL) < 0)
        return EXIT_FAILED;
    if (leat_endpoint_open(&in, source, LEAT_READ, NULL, NULL) == 0)
        leat_pipeline_source(pipeline, in);
    if (leat_endpoint_open(&out, sink, LEAT_WRITE, NULL, NULL) == 0)
        leat_pipeline_sink(pipeline, out, NULL, NULL);
    if (leat_pipeline_check(pipeline, &error) < 0)
        r = refuse(sink, error.text);
    leat_pipeline_free(pipeline);
    return r;
}

int bench_given(const struct bench_options *o, const char *source, const char *sink)
{
    struct given g = {.ends = {.begin = begin, .finish = finish, .clean = clean},
                      .source = source,
                      .sink = sink,
                      .rewind = {-1, -1},
                      .fd = -1,
                      .how = LEAT_INIT(struct leat_endpoint_options)};
    char title[300], most[32];
    int r = check(source, sink, o);
    if (r == 0)
        r = use_source(&g, o);
    if (r == 0)
        r = use_sink(&g, o);
    if (r == 0) {
        snprintf(title, sizeof(title), "%.110s -> %.110s%s, at most %s", cli_name(source), cli_name(sink),
                 g.place.folder ? " (a copy beside it)" : "", size_text(o->size, most));
        r = flow_row("given", title, 0, &g.ends, o);
    }
    if (r == 0 && is_null(sink) &&
        !stop_asked()) { /* the fastest way to a sink that reads nothing may touch no bytes */
        snprintf(title, sizeof(title), "%.110s -> a reader that looks at it, at most %s", cli_name(source), most);
        g.reads = true;
        r = flow_row("given/read", title, READER_PIPE, &g.ends, o);
    }
    put_back(&g);
    place_remove(&g.place);
    return r;
}
