/* leat/pipeline.h: plan, run, report.
 *
 * A pipeline is a source, filters, and one or more sinks. It is planned (leat_pipeline_explain, without any side
 * effect), run once, and leaves a report that says what happened: the bytes by each route really taken, digests,
 * times, the first true failure.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_pipeline_new(&p, NULL);
 *     leat_endpoint_open(&in, "image.iso", LEAT_READ, NULL, &error);
 *     leat_endpoint_open(&out, "/srv/image.iso", LEAT_WRITE, NULL, &error);
 *     leat_filter_digest(&digest, "sha256", NULL);
 *     leat_pipeline_source(p, in); leat_pipeline_filter(p, digest); leat_pipeline_sink(p, out, NULL);
 *     r = leat_pipeline_run(p, &report);
 *
 * Routes: clone (the file systems share the blocks), offload (copy_file_range, sendfile), splice (through pipes,
 * tee for several sinks), direct (O_DIRECT, many calls under way at once), chunk (read and write through pooled
 * chunks). A route that turns out not to work here steps down to the next; the bytes, digests, counts and the class of
 * an error are the same on every one of them.
 *
 * Threads: building a pipeline is for one thread; start, wait, fd and free belong to one thread at a time;
 * cancel and progress may be called from any.
 */
#ifndef LEAT_PIPELINE_H
#define LEAT_PIPELINE_H

#include <leat/base.h>
#include <leat/endpoint.h>
#include <leat/filter.h>
#include <leat/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_pipeline leat_pipeline;
typedef struct leat_report leat_report;
typedef struct leat_engine leat_engine;

/* What the owner of the source promises. */
enum leat_stability {
    LEAT_SOURCE_LIVE = 0,   /* it may be written to meanwhile; a digest is still that of the delivered bytes */
    LEAT_SOURCE_STABLE = 1, /* nobody changes it until the pipeline has ended: more routes are allowed */
};

/* Holes in regular files. In a file that is written in place they are punched; where its file system can't do that,
 * zeros are written. */
enum leat_sparse {
    LEAT_SPARSE_AUTO = 0,   /* the source's holes stay holes */
    LEAT_SPARSE_ALWAYS = 1, /* blocks of zeros become holes too */
    LEAT_SPARSE_NEVER = 2,  /* every byte is written */
};

/* What files and disks leave in the page cache, source and sinks alike. */
enum leat_cache {
    LEAT_CACHE_KEEP = 0,   /* what the kernel likes to keep */
    LEAT_CACHE_DROP = 1,   /* nothing; it ends when the sinks are on the disk. Pages of a sink that were cached before
                              are dropped as well, and those of the source where its file system can't be asked to
                              leave them */
    LEAT_CACHE_DIRECT = 2, /* past it by the route direct where that can be had, else as LEAT_CACHE_DROP */
};

/* What to do about a sink that lags behind the others by all the memory there is. */
enum leat_slow_sink {
    LEAT_SLOW_WAIT = 0, /* everyone waits for it */
    LEAT_SLOW_DROP = 1, /* it misses what comes meanwhile; the report counts it as discarded */
};

struct leat_pipeline_options {
    size_t size;
    uint64_t memory_limit; /* pipe pages and chunks together; 0: 16 MiB. Below the plan's minimum the run is refused
                              with -ENOBUFS and the minimum in the error's text. */
    uint64_t rate;         /* bytes per second, 0: no limit */
    uint64_t offset;       /* of the source: where to begin; bytes before it are passed over. A source that ends
                              before it fails the run with -EINVAL, before anything is published */
    uint64_t length;       /* of the source: at most so many; used only if has_length is not 0 */
    int32_t has_length;
    int32_t stability;       /* enum leat_stability */
    int32_t sparse;          /* enum leat_sparse */
    int32_t threads;         /* of digests, as in leat_digest_options; 0 decides by size and cores */
    const char *route;       /* NULL or "auto"; a route's name forces it; "prefer:NAME" tries it first. Copied. */
    const char *engine;      /* NULL or "auto": sync. "uring": io_uring carries the calls that may sleep; "uring:all":
                                all that it can. One that can't be had here is replaced by "sync", and the report and the
                                plan say why. Copied. */
    const char *expect;      /* NULL, or ALGORITHM:HEX digests separated by commas. A difference is -EBADMSG: nothing is
                                published. One that no filter computes is of the source's bytes. An empty word is no
                                digest: -EINVAL. Copied. */
    int32_t digest_provider; /* enum leat_digest_provider, for the digests that `expect` adds */
    leat_engine *shared_engine; /* NULL: a thread of its own. Borrowed; freed only after the pipelines that use it */
    int32_t cache;              /* enum leat_cache */
    /* For leat_pipeline_parse alone: what holds for the endpoints of the text that say nothing else. Borrowed for the
     * call. NULL: the defaults. */
    const struct leat_endpoint_options *endpoints;
    const struct leat_sink_options *sinks;
    leat_pool *pool; /* where chunks come from; NULL: the one of the process. The pipeline keeps it */
};

struct leat_engine_options {
    size_t size;
    int32_t threads;    /* 0: one for each processor, at most 8 */
    const char *engine; /* as in leat_pipeline_options */
};

/* A few threads that run many pipelines. Hundreds of streams between pipes, sockets and files go on a handful of
 * threads, because none of them blocks on a pipe or socket; a slow disk holds up the streams of its thread, except with
 * the engine "uring", and a filter that transforms holds them up while it works on one chunk. -EINVAL: no such engine.
 * The threads take no signals. */
LEAT_API int leat_engine_new(leat_engine **ret, const struct leat_engine_options *options);

/* "sync", "uring" or "uring:all": the one that is really there. Static. */
LEAT_API const char *leat_engine_name(const leat_engine *engine);

/* NULL is allowed. Every pipeline that used it must have ended (leat_pipeline_wait, or free). */
LEAT_API void leat_engine_free(leat_engine *engine);

/* What one pipeline takes at most. */
enum leat_pipeline_limits {
    LEAT_SINKS_MAX = 64,
    LEAT_FILTERS_MAX = 64,
};

/* One of several sinks. */
struct leat_sink_options {
    size_t size;
    int32_t slow; /* enum leat_slow_sink */
};

/* Counters of a running pipeline. */
struct leat_progress {
    size_t size;
    uint64_t bytes; /* delivered to every sink that still runs */
    uint64_t total; /* what is expected; used only if has_total is not 0: it is 0 where filters transform */
    int32_t has_total;
    double seconds; /* since the run began */
};

/* An unknown route, an unknown engine, a malformed expectation, a number that no enum has, an offset or a length beyond
 * any file is -EINVAL, told with a sentence by leat_pipeline_check and by the run. */
LEAT_API int leat_pipeline_new(leat_pipeline **ret, const struct leat_pipeline_options *options);

/* A pipeline written as text: a source, filters, and one or more sinks with & between them.
 *
 *     file:a | digest:sha256,blake2b-512 | zstd:level=3 | file:a.zst
 *     tcp-listen:9000 idle-timeout=30s | meter | "my file" sync & other append
 *
 * Endpoints are as leat_endpoint_open reads them. Behind one may stand options, each a word: idle-timeout=TIME and
 * connect-timeout=TIME; for sinks also append, in-place, sync, preserve, slow-sink=wait|drop. Filters are
 *
 *     digest:ALG[,ALG]   meter   rate:SIZE   skip:SIZE   head:SIZE
 *     zstd[:level=N]   unzstd   gzip[:level=N]   gunzip   exec:COMMAND
 *
 * Words with blanks, bars or quotes in them are quoted as in a shell: '...' means everything as it stands, "..." too
 * but for \" and \\; outside of quotes a backslash takes its meaning from what follows. An & is a mark only as a word
 * of its own.
 *
 * Nothing is opened yet, nor is the name of a host looked up; source, filters and sinks may still be added. On failure
 * *ret_error (may be NULL) has a sentence in `text`, and in `offset` the column: the byte of `text` where the wrong
 * word, or part of one, begins. Its `node` is `text`. Its `operation` is "parse" if the text makes no sense (-EINVAL,
 * -ENOENT, -ERANGE, -E2BIG); else it names what failed when an endpoint or a library was looked up. Any thread. */
LEAT_API int leat_pipeline_parse(leat_pipeline **ret, const char *text, const struct leat_pipeline_options *options,
                                 struct leat_error *ret_error);

/* Each takes the reference handed to it, on failure too. -EBUSY once the pipeline runs, -EEXIST for a second source,
 * -E2BIG for more than LEAT_SINKS_MAX sinks or LEAT_FILTERS_MAX filters. Of endpoints: -EBUSY if a pipeline has it or
 * had it, -EINVAL if it was opened for the other direction, or for options that have no such value. */
LEAT_API int leat_pipeline_source(leat_pipeline *pipeline, leat_endpoint *source);
LEAT_API int leat_pipeline_filter(leat_pipeline *pipeline, leat_filter *filter);
LEAT_API int leat_pipeline_sink(leat_pipeline *pipeline, leat_endpoint *sink, const struct leat_sink_options *options);

/* How the source, a sink or a filter is called, which of them counted from 0 as in `index` of an error: an endpoint's
 * spec, a filter's kind such as "digest". The filters that the options `rate` and `expect` add come behind those that
 * were handed in. NULL past the last. Lives as long as the pipeline. */
LEAT_API const char *leat_pipeline_name(const leat_pipeline *pipeline, enum leat_side side, size_t index);

/* Plans without running, and says what would be refused: -EINVAL, -ENOBUFS and so on with the sentence in
 * *ret_error. Its node lives as long as the pipeline. */
LEAT_API int leat_pipeline_check(leat_pipeline *pipeline, struct leat_error *ret_error);

/* The plan as text. leat_free frees *ret. -EINVAL: no such format; otherwise as leat_pipeline_check. No side effect:
 * nothing is created, truncated or connected. */
LEAT_API int leat_pipeline_explain(leat_pipeline *pipeline, enum leat_format format, char **ret);

/* Plans, opens, moves, finishes, verifies, commits, on the calling thread. Blocks until the end; cancel ends it. The
 * report, if one is asked for, comes back on failure too. Returns what the report says: 0, or the code of the first
 * true failure; -EBADMSG with the operation "verify": a digest was not the expected one; -ECANCELED. The memory of the
 * report is had before anything is opened. If the run could not begin, *ret is NULL: -ENOMEM, -EMFILE, or -EBUSY for a
 * pipeline that runs or has run. */
LEAT_API int leat_pipeline_run(leat_pipeline *pipeline, leat_report **ret);

/* The same on a thread of its own, or on the shared engine. */
LEAT_API int leat_pipeline_start(leat_pipeline *pipeline);

/* Waits for the end of what was started. -1 waits without a bound, 0 does not wait. If it still runs: -EAGAIN for 0,
 * -ETIMEDOUT for a positive time that has passed; *ret is untouched then. Otherwise as leat_pipeline_run. The report is
 * handed out once; -EINVAL if nothing was started, or its end was seen. */
LEAT_API int leat_pipeline_wait(leat_pipeline *pipeline, int timeout_ms, leat_report **ret);

/* A descriptor that is readable when the pipeline has ended, whenever it is asked for. Borrowed; lives as long as the
 * pipeline. */
LEAT_API int leat_pipeline_fd(leat_pipeline *pipeline, int *ret);

/* Ends it soon, with -ECANCELED. Any thread; async-signal-safe. More than once is fine, as is before the start, which
 * then ends at once, and after the end, where it changes nothing. 0. */
LEAT_API int leat_pipeline_cancel(leat_pipeline *pipeline);

/* Any thread. All zero before the start. 0. */
LEAT_API int leat_pipeline_progress(const leat_pipeline *pipeline, struct leat_progress *ret);

/* NULL is allowed. Cancels what still runs and waits for it. */
LEAT_API void leat_pipeline_free(leat_pipeline *pipeline);

/* A digest by its name in the report, such as "sha256": the first one of that name, of the bytes that passed its place
 * among the filters. As leat_filter_digest_hex otherwise; -ENODATA if the run did not complete it. */
LEAT_API int leat_report_digest(const leat_report *report, const char *algorithm, char *ret, size_t capacity);

/* All of them in the order of their filters, counted from 0; the strings live as long as the report. -ENOENT past the
 * last. */
LEAT_API int leat_report_digest_at(const leat_report *report, size_t index, const char **ret_algorithm,
                                   const char **ret_hex);

/* Of which bytes it is the digest: LEAT_SIDE_SINK: of those that the sinks got; LEAT_SIDE_SOURCE: of those that the
 * source gave, where a filter made others of them on their way to the sinks; LEAT_SIDE_FILTER: of neither, because it
 * stood between two such filters. LEAT_SIDE_NONE past the last. */
LEAT_API enum leat_side leat_report_digest_side(const leat_report *report, size_t index);

/* The first true failure, or NULL if there was none. Lives as long as the report. */
LEAT_API const struct leat_error *leat_report_error(const leat_report *report);

/* Bytes delivered to every sink that succeeded (of a failed run: the least that any sink got). */
LEAT_API uint64_t leat_report_bytes(const leat_report *report);

/* For one sink, counted from 0: its failure, or NULL. */
LEAT_API const struct leat_error *leat_report_sink_error(const leat_report *report, size_t index);

/* One line of JSON with a newline. leat_free frees *ret. */
LEAT_API int leat_report_json(const leat_report *report, char **ret);

/* The report of a run that could not begin, because an endpoint could not be opened or a plan was refused: so that
 * programs which read reports get one in that case, too. The strings of the error are copied. -EINVAL: its code is no
 * negative errno, or its side none of enum leat_side. */
LEAT_API int leat_report_from_error(leat_report **ret, const struct leat_error *error);

/* For people, several lines. leat_free frees *ret. */
LEAT_API int leat_report_text(const leat_report *report, char **ret);

/* NULL is allowed. */
LEAT_API void leat_report_free(leat_report *report);

#ifdef __cplusplus
}
#endif
#endif
