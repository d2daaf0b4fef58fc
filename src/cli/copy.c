/* leat copy: one pass from a source to one or more sinks. */
#include "progress.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: leat copy [options] SOURCE SINK...\n"
    "\n"
    "Moves the bytes of SOURCE to every SINK in one pass, by the cheapest way the kernel allows.\n"
    "\n"
    "SOURCE and SINK are paths, - (standard input, output), fd:N, null:, zero:, file:PATH, tcp:HOST:PORT,\n"
    "tcp-listen:[HOST:]PORT, unix:PATH, unix-listen:PATH or exec:COMMAND. A file appears whole when everything was\n"
    "right, or not at all. Digests are printed as sha256sum prints them.\n"
    "\n"
    "  leat copy --digest sha256 image.iso /srv/image.iso\n"
    "  leat copy --expect sha256:9f86... image.iso a.iso b.iso     verified before either appears\n"
    "  producer | leat copy --rate 10M --progress - backup.img\n"
    "  leat copy --explain image.iso /srv/image.iso\n"
    "\n";

/* ---- signals: the first asks for an end, and what it asked for happens when all is cleaned up ---- */

static leat_pipeline *running;
static volatile sig_atomic_t ending_signal;
static int wish[2] = {-1, -1}; /* a byte in it: somebody wants a line of progress */

static void on_end(int number)
{
    ending_signal = number;
    if (running)
        leat_pipeline_cancel(running);
}

static void on_usr1(int number)
{
    (void)number;
    int saved = errno;
    ssize_t n = write(wish[1], "", 1);
    (void)n; /* a full pipe says it as well */
    errno = saved;
}

static int open_wish(void)
{
    if (pipe(wish) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(wish[i], F_SETFL, O_NONBLOCK);
        fcntl(wish[i], F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_end};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;
        sigaction(numbers[i], NULL, &old);
        if (old.sa_handler != SIG_IGN) /* nohup */
            sigaction(numbers[i], &action, NULL);
    }
    if (open_wish() == 0)
        sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_usr1}, NULL);
}

/* Dies of it as if it had never been caught, so that the shell sees what happened. */
static void raise_again(int number)
{
    signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

/* ---- building ---- */

static void explain_error(const struct leat_error *error)
{
    static const char *const sides[] = {"", "source ", "filter ", "sink "};
    const char *node = error->node ? error->node : "";
    if (error->side == LEAT_SIDE_NONE || !node[0])
        cli_warn("%s", error->text);
    else if (!error->operation || !error->operation[0]) /* the name itself was wrong */
        cli_warn("%s'%s': %s", sides[error->side], node, error->text);
    else if (error->side != LEAT_SIDE_FILTER && (error->offset || error->taken))
        cli_warn("%s'%s': %s at byte %llu: %s", sides[error->side], node, error->operation,
                 (unsigned long long)error->offset, error->text);
    else
        cli_warn("%s'%s': %s: %s", sides[error->side], node, error->operation, error->text);
}

static int print_report(const struct copy_options *o, const leat_report *report)
{
    char *text = NULL;
    if (o->report == REPORT_NO)
        return 0;
    int r = o->report == REPORT_JSON ? leat_report_json(report, &text) : leat_report_text(report, &text);
    if (r < 0) {
        cli_warn("no report: %s", strerror(-r));
        return EXIT_FAILED;
    }
    FILE *to = o->report_file ? fopen(o->report_file, "we") : stderr;
    bool failed = !to || fputs(text, to) < 0;
    if (to && to != stderr)
        failed |= fclose(to) != 0;
    if (failed)
        cli_warn("report '%s': %s", o->report_file ? o->report_file : "stderr", strerror(errno));
    free(text);
    return failed ? EXIT_FAILED : 0;
}

/* It could not begin. Programs that want a report get one all the same. */
static int refuse(const struct copy_options *o, const struct leat_error *error)
{
    leat_report *report;
    explain_error(error);
    if (o->explain == EXPLAIN_NO && leat_report_of_error(&report, error) == 0) {
        print_report(o, report);
        leat_report_free(report);
    }
    return EXIT_FAILED;
}

static int add_endpoints(leat_pipeline *pipeline, const struct copy_options *o, int count, char **spec)
{
    for (int i = 0; i < count; i++) {
        struct leat_error error = LEAT_INIT(struct leat_error);
        leat_endpoint *endpoint;
        if (leat_endpoint_open(&endpoint, spec[i], i == 0 ? LEAT_READ : LEAT_WRITE, &o->sink, &error) < 0)
            return refuse(o, &error);
        int r = i == 0 ? leat_pipeline_source(pipeline, endpoint) : leat_pipeline_sink(pipeline, endpoint, &o->branch);
        if (r < 0) {
            cli_warn("'%s': %s", spec[i], strerror(-r));
            return EXIT_FAILED;
        }
    }
    return 0;
}

static int add_digest(leat_pipeline *pipeline, const struct copy_options *o)
{
    struct leat_digest_options options = LEAT_INIT(struct leat_digest_options);
    options.provider = o->pipeline.digest_provider;
    leat_filter *filter;
    if (!o->digest)
        return 0;
    int r = leat_filter_digest(&filter, o->digest, &options);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, filter);
    if (r == 0)
        return 0;
    if (r == -ELIBACC)
        cli_warn("libcrypto can't be loaded: install libssl3");
    else
        return cli_usage("copy", "--digest: '%s' has an algorithm that is not known", o->digest);
    return EXIT_FAILED;
}

static int build(leat_pipeline **ret, const struct copy_options *o, int count, char **spec)
{
    int r = leat_pipeline_new(ret, &o->pipeline);
    if (r < 0) {
        cli_warn("%s", strerror(-r));
        return EXIT_FAILED;
    }
    struct leat_error error = LEAT_INIT(struct leat_error);
    r = add_digest(*ret, o);
    if (r == 0)
        r = add_endpoints(*ret, o, count, spec);
    if (r == 0 && leat_pipeline_check(*ret, &error) < 0) {
        r = refuse(o, &error);
        bool misspelt = error.code == -EINVAL || error.code == -ENOENT || error.code == -E2BIG;
        if (misspelt && error.side == LEAT_SIDE_NONE)
            r = EXIT_USAGE;
    }
    return r;
}

/* ---- running ---- */

/* Until the pipeline's descriptor is readable, signals and progress are looked after. */
static int wait_for_it(leat_pipeline *pipeline, struct progress *progress, leat_report **ret)
{
    int fd;
    leat_pipeline_fd(pipeline, &fd);
    for (;;) {
        struct pollfd set[] = {{.fd = fd, .events = POLLIN}, {.fd = wish[0], .events = POLLIN}};
        int ready = poll(set, 2, progress_interval(progress));
        char bytes[64];
        if (ready > 0 && set[1].revents && read(wish[0], bytes, sizeof(bytes)) > 0)
            progress_line(progress, pipeline);
        if (ready > 0 && set[0].revents)
            break;
        if (ready == 0)
            progress_update(progress, pipeline);
    }
    if (progress->mode == PROGRESS_JSON)
        progress_update(progress, pipeline);
    progress_end(progress);
    return leat_pipeline_wait(pipeline, -1, ret);
}

static bool is_stdout(const char *spec)
{
    static const char *const names[] = {"-", "fd:1", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    if (strncmp(spec, "file:", 5) == 0)
        spec += 5;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(spec, names[i]) == 0)
            return true;
    return false;
}

/* A bar would be drawn over it. */
static bool data_on_terminal(int sinks, char **spec)
{
    for (int i = 0; i < sinks; i++)
        if (is_stdout(spec[i]))
            return isatty(STDOUT_FILENO);
    return false;
}

static void print_digests_of(FILE *to, const leat_report *report, const char *name)
{
    const char *algorithm, *hex;
    bool several = leat_report_digest_at(report, 1, &algorithm, &hex) == 0;
    for (size_t i = 0; leat_report_digest_at(report, i, &algorithm, &hex) == 0; i++)
        cli_print_digest(to, algorithm, hex, name, several);
}

/* On standard output, unless that carries the data. */
static void print_digests(const leat_report *report, int sinks, char **spec)
{
    FILE *to = stdout;
    for (int i = 0; i < sinks; i++)
        if (is_stdout(spec[i]))
            to = stderr;
    for (int i = 0; i < sinks; i++)
        if (!leat_report_sink_error(report, (size_t)i))
            print_digests_of(to, report, spec[i]);
}

/* Every sink that failed is named, then what else there was. */
static void explain_failure(const leat_report *report, int sinks)
{
    const struct leat_error *first = leat_report_error(report);
    for (int i = 0; i < sinks; i++) {
        const struct leat_error *error = leat_report_sink_error(report, (size_t)i);
        if (error)
            explain_error(error);
    }
    if (first && (first->side != LEAT_SIDE_SINK || !leat_report_sink_error(report, first->index)))
        explain_error(first);
    if (first && first->held)
        cli_warn("taken %llu bytes, delivered %llu, held %llu", (unsigned long long)first->taken,
                 (unsigned long long)first->delivered, (unsigned long long)first->held);
}

/* The reader of our standard output left: end as `cat` does. */
static bool reader_left(const leat_report *report, int sinks, char **spec)
{
    const struct leat_error *error = leat_report_error(report);
    return error && error->code == -EPIPE && error->side == LEAT_SIDE_SINK && sinks == 1 && is_stdout(spec[0]);
}

static int run(leat_pipeline *pipeline, const struct copy_options *o, int sinks, char **sink)
{
    struct progress progress;
    leat_report *report = NULL;
    progress_init(&progress,
                  o->progress == PROGRESS_AUTO && data_on_terminal(sinks, sink) ? PROGRESS_NEVER : o->progress);
    running = pipeline;
    catch_signals();
    int r = leat_pipeline_start(pipeline);
    if (r == 0)
        r = wait_for_it(pipeline, &progress, &report);
    running = NULL;
    if (!report) {
        cli_warn("%s", strerror(-r));
        return EXIT_FAILED;
    }
    bool left = reader_left(report, sinks, sink);
    if (o->digest && (r == 0 || leat_report_error(report)->side == LEAT_SIDE_SINK))
        print_digests(report, sinks, sink);
    if (r < 0 && !left && !ending_signal)
        explain_failure(report, sinks);
    int code = r == 0 ? EXIT_DONE : r == -EBADMSG ? EXIT_MISMATCH : EXIT_FAILED;
    int told = print_report(o, report);
    leat_report_free(report);
    if (fflush(stdout) != 0) {
        cli_warn("standard output: %s", strerror(errno));
        told = EXIT_FAILED;
    }
    if (left)
        raise_again(SIGPIPE);
    return code ? code : told;
}

static int explain(leat_pipeline *pipeline, enum explain_mode mode)
{
    char *text = NULL;
    int r = leat_pipeline_explain(pipeline, mode == EXPLAIN_JSON ? LEAT_FORMAT_JSON : LEAT_FORMAT_TEXT, &text);
    if (r < 0) {
        cli_warn("%s", strerror(-r));
        return EXIT_FAILED;
    }
    fputs(text, stdout);
    free(text);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cli_copy(int argc, char **argv)
{
    struct copy_options o;
    int r = options_parse(&o, "copy", argc, argv);
    if (r < 0) {
        fputs(usage, stdout);
        fputs(options_help, stdout);
        return EXIT_DONE;
    }
    if (r > 0)
        return r;
    if (argc - optind < 2)
        return cli_usage("copy", "a SOURCE and at least one SINK are wanted");
    leat_pipeline *pipeline = NULL;
    r = build(&pipeline, &o, argc - optind, argv + optind);
    if (r == 0)
        r = o.explain != EXPLAIN_NO ? explain(pipeline, o.explain)
                                    : run(pipeline, &o, argc - optind - 1, argv + optind + 1);
    leat_pipeline_free(pipeline);
    if (ending_signal)
        raise_again(ending_signal);
    return r;
}
