/* SPDX-License-Identifier: MIT */
/** @file leat/pipeline.h
 * Plan, run, report.
 *
 * A pipeline is a source, filters, and one or more sinks. leat_pipeline_explain plans it, without any side effect. A
 * pipeline runs once. It leaves a report that says what happened: the bytes that each route really moved, digests,
 * times, and the first true failure.
 *
 *     struct leat_error error = LEAT_INIT(struct leat_error);
 *     leat_pipeline_new(&p, NULL, &error);
 *     leat_endpoint_open(&in, "image.iso", LEAT_READ, NULL, &error);
 *     leat_endpoint_open(&out, "/srv/image.iso", LEAT_WRITE, NULL, &error);
 *     leat_filter_digest(&digest, "sha256", NULL, NULL);
 *     leat_pipeline_source(p, in); leat_pipeline_filter(p, digest); leat_pipeline_sink(p, out, NULL, &error);
 *     r = leat_pipeline_run(p, &report);
 *
 * Routes
 * ------
 * A route is a way to move bytes:
 *
 *   - clone: the file systems share the blocks.
 *   - offload: copy_file_range(2) or sendfile(2).
 *   - splice: through pipes, with tee(2) for several sinks.
 *   - direct: O_DIRECT, with many calls in flight at once.
 *   - chunk: read and write, through chunks from a pool.
 *
 * If a route turns out not to work, the run steps down to the next route. The bytes, the digests, the counts and the
 * class of an error are the same on every route.
 *
 * Threads
 * -------
 * A pipeline is built by one thread. Its start, wait, fd and free belong to one thread at a time. Any thread may call
 * leat_pipeline_cancel and leat_pipeline_progress at any time.
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

/** A source, filters and sinks, and one run of them. */
typedef struct leat_pipeline leat_pipeline;
/** What happened in a run. It is independent of the pipeline. */
typedef struct leat_report leat_report;
/** A few threads that run many pipelines. */
typedef struct leat_engine leat_engine;

/** What the owner of the source promises. */
enum leat_stability {
    /** The source may be written to meanwhile. A digest is still that of the bytes that were delivered. */
    LEAT_SOURCE_LIVE = 0,
    /** The source does not change until the pipeline has ended. This allows more routes. */
    LEAT_SOURCE_STABLE = 1,
};

/**
 * What becomes of holes in regular files.
 *
 * In a file that is written in place, holes are punched. If its file system cannot do that, zeros are written.
 */
enum leat_sparse {
    LEAT_SPARSE_AUTO = 0,   /**< The holes of the source stay holes. */
    LEAT_SPARSE_ALWAYS = 1, /**< Blocks of zeros become holes as well. */
    LEAT_SPARSE_NEVER = 2,  /**< Every byte is written. */
};

/** What files and disks leave in the page cache, the source and the sinks alike. */
enum leat_cache {
    LEAT_CACHE_KEEP = 0, /**< What the kernel keeps by itself. */
    /** Nothing. The run ends when the sinks are on the disk. Pages of a sink that were cached before the run are
     * dropped as well. So are such pages of the source, if its file system cannot be asked to leave them alone. */
    LEAT_CACHE_DROP = 1,
    /** Nothing passes through the cache, by the route direct, where that can be had. Elsewhere it is as
     * LEAT_CACHE_DROP. */
    LEAT_CACHE_DIRECT = 2,
};

/** What the run does about a sink that lags behind the others by all the memory there is. */
enum leat_slow_sink {
    LEAT_SLOW_WAIT = 0, /**< All sinks wait for it. */
    LEAT_SLOW_DROP = 1, /**< It misses what comes meanwhile. The report counts these bytes as discarded. */
    /** What comes meanwhile goes to a file of its own without a name, and it gets that later, in order. If the file is
     * full, all sinks wait for it. With a single sink it is as LEAT_SLOW_WAIT. */
    LEAT_SLOW_SPILL = 2,
};

/** Counters of a running pipeline. */
struct leat_progress {
    size_t size;       /**< Of this struct. */
    uint64_t bytes;    /**< Bytes that were delivered to every sink that still runs. */
    uint64_t total;    /**< Bytes that are expected. Used only if has_total is not 0. */
    int32_t has_total; /**< 0: the total is not known, as where filters transform. */
    double seconds;    /**< Since the run began. */
    uint64_t buffered; /**< Bytes that are in buffers (leat_filter_buffer), which no sink has got yet. */
};

/** How a pipeline runs. The strings are copied. */
struct leat_pipeline_options {
    size_t size; /**< Of this struct. */
    /** Bytes of pipe pages and chunks together. 0: 16 MiB. If the plan needs more than the limit, the run is refused
     * with -ENOBUFS, and the text of the error names the minimum. */
    uint64_t memory_limit;
    uint64_t rate; /**< Bytes per second. 0: no limit. */
    /** The byte of the source at which the run begins. If the source ends before this offset, the run fails with
     * -EINVAL, before anything is published. */
    uint64_t offset;
    uint64_t length;    /**< The most bytes of the source. It is used only if has_length is not 0. */
    int32_t has_length; /**< Not 0: `length` is used. */
    int32_t stability;  /**< enum leat_stability. */
    int32_t sparse;     /**< enum leat_sparse. */
    int32_t threads;    /**< Of digests, as in leat_digest_options. 0: size and processors decide. */
    const char *route;  /**< NULL or "auto"; the name of a route forces it; "prefer:NAME" tries it first. */
    /** NULL or "auto": sync. "uring": io_uring carries the calls that may sleep. "uring:all": io_uring carries all
     * calls that it can. If the system has no such engine, "sync" replaces it, and the plan and the report say why. */
    const char *engine;
    /** NULL, or digests ALGORITHM:HEX with commas between them. If a digest differs, the run fails with -EBADMSG and
     * publishes nothing. If no filter computes the digest, it is taken of the bytes of the source. An empty word is no
     * digest, and is -EINVAL. */
    const char *expect;
    int32_t digest_provider;    /**< enum leat_digest_provider, for the digests that `expect` adds. */
    leat_engine *shared_engine; /**< NULL: a thread of its own. Borrowed; free it after the pipelines that use it. */
    int32_t cache;              /**< enum leat_cache. */
    /** For leat_pipeline_parse alone: the options of each endpoint for which the text says nothing else. Borrowed for
     * the call. NULL: the defaults. */
    const struct leat_endpoint_options *endpoints;
    const struct leat_sink_options *sinks; /**< The same for the options of sinks. */
    leat_pool *pool; /**< Where chunks come from. NULL: the pool of the process. The pipeline keeps a reference. */
    /** How large pipes get, on Linux: in bytes, rounded down to a power of two. The pipes on both sides of a hop are
     * made larger when the run begins, and count towards the memory limit, of which they have a quarter at most. No
     * pipe gets smaller. 0: pipes to children get LEAT_PIPE_SIZE, all others stay as they are. -1: all stay as they
     * are. Where the system refuses the size, or it would take the last pages that the user may have for pipes, leat
     * asks for less. */
    int64_t pipe_size;
    /**
     * Is told the progress: leat_pipeline_run and leat_pipeline_wait call it on their own thread, every `progress_ms`
     * while they wait, and once when the run has ended. A result other than 0 cancels the run. NULL: no calls.
     *
     * The function may call leat_pipeline_cancel, leat_pipeline_progress and leat_pipeline_name of the pipeline.
     * leat_pipeline_wait is -EDEADLK there, and it must not free the pipeline. If there is a function,
     * leat_pipeline_run moves the bytes on a thread of its own.
     */
    int (*progress)(void *user, const struct leat_progress *now);
    void *user;          /**< The first argument of `progress`. Borrowed until the pipeline is freed. */
    int32_t progress_ms; /**< Milliseconds between two calls of `progress`; 0: 200. */
    /** A buffer behind the source, before all filters: its options as leat_filter_buffer_parse reads them. NULL:
     * none. */
    const char *buffer;
    /** Not 0: the routes of the plan are taken, whatever their speeds. 0: a run that goes on for more than half a
     * second compares the routes that can serve a hop, in windows of 10 ms, and goes on with the fastest one; of those
     * that are equally fast, with the one that takes the least processor time. This costs 2% of the time at most. It is
     * not done if `route` is given, on a shared engine, or with the options `rate` and `cache`. */
    int32_t no_learn;
};

/** A good size for pipes. */
enum {
    LEAT_PIPE_SIZE = 512 * 1024 /**< In bytes; by measurement (`scripts/bench --matrix`). */
};

/** How a shared engine runs pipelines. */
struct leat_engine_options {
    size_t size;        /**< Of this struct. */
    int32_t threads;    /**< 0: leat_processors_count(), at most 8. */
    const char *engine; /**< As in leat_pipeline_options. */
};

/**
 * Makes a few threads that run many pipelines.
 *
 * Hundreds of streams between pipes, sockets and files run on a handful of threads, because no stream blocks on a pipe
 * or a socket. A slow disk holds up the streams of its thread, except with the engine "uring". A filter that transforms
 * holds them up while it works on one chunk. The threads take no signals. Connections to stores that one pipeline
 * leaves idle serve the next one, until the engine is freed.
 *
 * @param ret_engine  The caller frees it.
 * @param options     The options; NULL: the defaults.
 * @param ret_error   NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                    what is allowed.
 *
 * @return 0; -EINVAL: there is no such engine, or a negative number of threads; -EMFILE; -ENOMEM: there is no memory,
 *         or there are no more threads.
 */
LEAT_API int leat_engine_new(leat_engine **ret_engine, const struct leat_engine_options *options,
                             struct leat_error *ret_error);

/**
 * Returns the name of the engine that is really there.
 *
 * @return "sync", "uring" or "uring:all". Static.
 */
LEAT_API const char *leat_engine_name(const leat_engine *engine);

/**
 * Frees an engine.
 *
 * Each pipeline that used it must have ended: leat_pipeline_wait has told the end, or the pipeline is freed.
 *
 * @param engine  May be NULL.
 *
 * Blocking: waits for its threads, which have nothing to do any more.
 */
LEAT_API void leat_engine_free(leat_engine *engine);

/** The most sinks and filters of one pipeline. */
enum leat_pipeline_limits {
    LEAT_SINKS_MAX = 64,   /**< The most sinks. */
    LEAT_FILTERS_MAX = 64, /**< The most filters that are handed in. */
};

/** Options of one sink. */
struct leat_sink_options {
    size_t size;  /**< Of this struct. */
    int32_t slow; /**< enum leat_slow_sink. */
    /** Only with LEAT_SLOW_SPILL: the most bytes of the file. 0: LEAT_SPILL_SIZE. The file grows as it fills. If its
     * disk does not take the bytes, it grows no further, and the report says why. */
    uint64_t spill;
    /** Only with LEAT_SLOW_SPILL: the folder of the file. The string is copied. NULL: the value of TMPDIR, or else
     * /var/tmp. If no file can be made there, the run fails before a byte moves. */
    const char *spill_folder;
};

/** The size of the file of a sink that spills, if its options name none. */
enum {
    LEAT_SPILL_SIZE = 1024 * 1024 * 1024 /**< In bytes. */
};

/**
 * Reads from a text what a run does about a sink that lags, as in the text form of a pipeline:
 * wait|drop|spill[:SIZE[,FOLDER]]. The name of the folder is the rest of the text, with its commas.
 *
 * @param inout_options  The options; their size must be set. The call sets `slow`, `spill` and `spill_folder`, which
 *                       points into the text.
 * @param text           Borrowed for the call; for as long as the options are used, if they have a folder.
 * @param ret_error      NULL, or where the call says in a sentence what is wrong.
 *
 * @return 0; -EINVAL; -ERANGE: the size is 0 or beyond that of a file. On failure the options are as they were.
 *
 * Threads: any.
 */
LEAT_API int leat_pipeline_slow_sink_parse(struct leat_sink_options *inout_options, const char *text,
                                           struct leat_error *ret_error);

/**
 * Makes an empty pipeline.
 *
 * An unknown route, an unknown engine, a malformed expectation or buffer, a number that its enum does not have, and an
 * offset or a length beyond any file do not fail this call. They are -EINVAL from leat_pipeline_check and from the run,
 * with a sentence.
 *
 * @param ret_pipeline  The caller frees it.
 * @param options       The options; NULL: the defaults.
 * @param ret_error     NULL, or where the call says in a sentence why it failed.
 *
 * @return 0; -EINVAL, -E2BIG: the options are not those of this version; -ENOMEM.
 */
LEAT_API int leat_pipeline_new(leat_pipeline **ret_pipeline, const struct leat_pipeline_options *options,
                               struct leat_error *ret_error);

/**
 * Makes a pipeline of a text: a source, filters, and one or more sinks with & between them.
 *
 *     file:a | digest:sha256,blake2b-512 | zstd:level=3 | file:a.zst
 *     tcp-listen:9000 idle-timeout=30s | meter | "my file" sync & other append
 *
 * Endpoints are as leat_endpoint_open reads them. Options may follow an endpoint, each as a word: idle-timeout=TIME and
 * connect-timeout=TIME; for sinks also append, in-place, sync, preserve, slow-sink=wait|drop|spill[:SIZE[,FOLDER]].
 * Filters are
 *
 *     digest:ALG[,ALG]   meter   rate:SIZE   skip:SIZE   head:SIZE
 *     zstd[:level=N]   unzstd   gzip[:level=N]   gunzip   exec:COMMAND
 *     buffer:SIZE[,start=PERCENT,stop=PERCENT,lock,memory=SIZE,file=FOLDER]
 *
 * A word with blanks, bars or quotes in it is quoted as in a shell. '...' means everything as it stands. So does "..."
 * except for \" and \\. Outside of quotes a backslash takes the meaning from the character behind it. An & separates
 * sinks only as a word of its own.
 *
 * The call opens nothing and looks up no name of a host. A source, filters and sinks may still be added.
 *
 * @param ret_pipeline  The caller frees it.
 * @param text          Borrowed for the call.
 * @param ret_error     On failure `text` is a sentence, and `offset` is the column: the byte of the text where the
 *                      wrong word, or part of a word, begins. `node` is "": the text may have passwords in it.
 *                      `operation` is "parse" if the text makes no sense; otherwise it names what failed when an
 *                      endpoint or a library was looked up. May be NULL.
 *
 * @return 0; -EINVAL, -ENOENT, -ERANGE or -E2BIG: the text makes no sense; -ENOMEM; otherwise what the look-up of an
 *         endpoint or a library failed with.
 *
 * Threads: any.
 */
LEAT_API int leat_pipeline_parse(leat_pipeline **ret_pipeline, const char *text,
                                 const struct leat_pipeline_options *options, struct leat_error *ret_error);

/**
 * Sets the source.
 *
 * @param source  Taken, on failure too.
 *
 * @return 0; -EEXIST: there is a source; -EBUSY: the pipeline runs or has run, or a pipeline has or had this endpoint;
 *         -EINVAL: the endpoint was opened for writing.
 */
LEAT_API int leat_pipeline_source(leat_pipeline *pipeline, leat_endpoint *source);

/**
 * Adds a filter behind those that were handed in.
 *
 * @param filter  Taken, on failure too.
 *
 * @return 0; -E2BIG: there are LEAT_FILTERS_MAX filters; -EBUSY: the pipeline runs or has run.
 */
LEAT_API int leat_pipeline_filter(leat_pipeline *pipeline, leat_filter *filter);

/**
 * Adds a sink.
 *
 * @param sink       Taken, on failure too.
 * @param options    The options; NULL: the defaults.
 * @param ret_error  NULL, or where the call says in a sentence why it failed; with -EINVAL, what is wrong and what is
 *                   allowed. `node` is the spec of the sink.
 *
 * @return 0; -E2BIG: there are LEAT_SINKS_MAX sinks; -EBUSY: the pipeline runs or has run, or a pipeline has or had
 *         this endpoint; -EINVAL: the endpoint was opened for reading, an option has no such value, or `spill` or
 *         `spill_folder` is given without LEAT_SLOW_SPILL, is too large or is empty; -ENOMEM.
 */
LEAT_API int leat_pipeline_sink(leat_pipeline *pipeline, leat_endpoint *sink, const struct leat_sink_options *options,
                                struct leat_error *ret_error);

/**
 * Returns the name of the source, of a sink or of a filter.
 *
 * Filters that the options `rate`, `buffer` and `expect` add are counted behind those that were handed in.
 *
 * @param side   What is asked for.
 * @param index  Counted from 0, as `index` of an error.
 *
 * @return The spec of an endpoint, or the kind of a filter, such as "digest". NULL behind the last one. The string
 *         lives as long as the pipeline.
 */
LEAT_API const char *leat_pipeline_name(const leat_pipeline *pipeline, enum leat_side side, size_t index);

/**
 * Plans without running.
 *
 * @param ret_error  The sentence that says what would be refused. May be NULL.
 *
 * @return 0; -EBUSY: the pipeline runs or has run; otherwise what the run would be refused with, such as -EINVAL or
 *         -ENOBUFS.
 */
LEAT_API int leat_pipeline_check(leat_pipeline *pipeline, struct leat_error *ret_error);

/**
 * Gives the plan as text or as JSON.
 *
 * The call has no side effect: it creates, truncates and connects nothing.
 *
 * @param ret_text  The plan; leat_free frees it.
 *
 * @return 0; -EINVAL: there is no such format; -ENOMEM; otherwise as leat_pipeline_check.
 */
LEAT_API int leat_pipeline_explain(leat_pipeline *pipeline, enum leat_format format, char **ret_text);

/**
 * Runs the pipeline on the calling thread: plans, opens, moves, finishes, verifies, commits.
 *
 * @param ret_report  The report, on failure too; the caller frees it. If the run could not begin, it is set to NULL.
 *                    The memory of the report is taken before anything is opened. May be NULL.
 *
 * Blocking: blocks until the run has ended. leat_pipeline_cancel ends it, and so does the function `progress`. A caller
 * that must not wait so long starts the pipeline by leat_pipeline_start, and waits with a limit by leat_pipeline_wait.
 *
 * @return What the report says: 0, or the code of the first true failure. -EBADMSG with the operation "verify": a
 *         digest was not the expected one. -ECANCELED: the run was cancelled. If the run could not begin: -ENOMEM,
 *         -EMFILE, or -EBUSY: the pipeline runs or has run.
 */
LEAT_API int leat_pipeline_run(leat_pipeline *pipeline, leat_report **ret_report);

/**
 * Starts the pipeline on a thread of its own, or on the shared engine.
 *
 * Blocking: does not wait.
 *
 * @return 0; -ENOMEM: there is no memory, or there is no thread to run it on; -EMFILE; -EBUSY: the pipeline runs or has
 *         run.
 */
LEAT_API int leat_pipeline_start(leat_pipeline *pipeline);

/**
 * Waits for the end of a pipeline that was started.
 *
 * The report is handed out once.
 *
 * @param timeout_ms  -1 waits without a limit, 0 does not wait, a positive number is the longest wait in milliseconds.
 * @param ret_report  As in leat_pipeline_run. It is untouched while the pipeline runs.
 *
 * Blocking: up to timeout_ms.
 *
 * @return -EAGAIN: timeout_ms is 0, and the pipeline runs; -ETIMEDOUT: the time is up, and the pipeline runs; -EINVAL:
 *         nothing was started, or its end was told before; -EDEADLK: the function `progress` of the pipeline calls it;
 *         otherwise as leat_pipeline_run.
 */
LEAT_API int leat_pipeline_wait(leat_pipeline *pipeline, int timeout_ms, leat_report **ret_report);

/**
 * Gives a descriptor that is readable when the pipeline has ended. It may be asked for at any time.
 *
 * @param ret_fd  Borrowed; lives as long as the pipeline.
 *
 * @return 0; -EMFILE.
 */
LEAT_API int leat_pipeline_fd(leat_pipeline *pipeline, int *ret_fd);

/**
 * Cancels the run, which ends soon with -ECANCELED.
 *
 * A pipeline may be cancelled more than once. If it is cancelled before the start, the run ends at once. After the end
 * the call changes nothing.
 *
 * @return 0.
 *
 * Threads: any; async-signal-safe.
 */
LEAT_API int leat_pipeline_cancel(leat_pipeline *pipeline);

/**
 * Gives the counters of the run. Before the start all of them are 0.
 *
 * @param ret_progress  The caller sets its `size`.
 *
 * Blocking: does not wait.
 *
 * @return 0.
 *
 * Threads: any.
 */
LEAT_API int leat_pipeline_progress(const leat_pipeline *pipeline, struct leat_progress *ret_progress);

/**
 * Frees a pipeline, with its endpoints and filters.
 *
 * @param pipeline  May be NULL.
 *
 * Blocking: if the pipeline runs, cancels it and waits for its end. A caller that must not wait calls
 * leat_pipeline_cancel and leat_pipeline_wait with a limit, and frees the pipeline when it has ended. What a cancel
 * can't interrupt is a function of the caller, and a call of the kernel on a slow file.
 */
LEAT_API void leat_pipeline_free(leat_pipeline *pipeline);

/**
 * Gives a digest by its name, such as "sha256": the first one of that name in the report.
 *
 * It is the digest of the bytes that passed its place among the filters.
 *
 * @param hex       Receives the value, in lower-case hex with a NUL.
 * @param capacity  The room in `hex`, in bytes. LEAT_DIGEST_HEX_MAX is always enough.
 *
 * @return 0; -ENODATA: the report has no such digest, or the run did not complete it; -ENOSPC: `capacity` is too small.
 */
LEAT_API int leat_report_digest(const leat_report *report, const char *algorithm, char *hex, size_t capacity);

/**
 * Gives a digest by its number.
 *
 * @param index          Counted from 0, in the order of the filters.
 * @param ret_algorithm  Its name. Borrowed; lives as long as the report.
 * @param ret_hex        Its value in hex. Borrowed; lives as long as the report.
 *
 * @return 0; -ENOENT: behind the last one.
 */
LEAT_API int leat_report_digest_at(const leat_report *report, size_t index, const char **ret_algorithm,
                                   const char **ret_hex);

/**
 * Returns of which bytes a digest is.
 *
 * @param index  As in leat_report_digest_at.
 *
 * @return LEAT_SIDE_SINK: of the bytes that the sinks got. LEAT_SIDE_SOURCE: of the bytes that the source gave, where a
 *         filter made other bytes of them on the way to the sinks. LEAT_SIDE_FILTER: of neither, because the digest
 *         stood between two such filters. LEAT_SIDE_NONE: behind the last digest.
 */
LEAT_API enum leat_side leat_report_digest_side(const leat_report *report, size_t index);

/**
 * Returns the first true failure.
 *
 * @return NULL if there was none. Borrowed; lives as long as the report.
 */
LEAT_API const struct leat_error *leat_report_error(const leat_report *report);

/**
 * Returns how many bytes every sink that succeeded got.
 *
 * @return Bytes. Of a failed run: the least that any sink got.
 */
LEAT_API uint64_t leat_report_bytes(const leat_report *report);

/**
 * Returns the failure of one sink.
 *
 * @param index  Counted from 0.
 *
 * @return NULL if the sink did not fail, or if there is no such sink. Borrowed; lives as long as the report.
 */
LEAT_API const struct leat_error *leat_report_sink_error(const leat_report *report, size_t index);

/**
 * Gives the report as one line of JSON with a newline. docs/formats.md has the keys.
 *
 * @param ret_text  The line; leat_free frees it.
 *
 * @return 0; -ENOMEM.
 */
LEAT_API int leat_report_json(const leat_report *report, char **ret_text);

/**
 * Makes the report of a run that could not begin, because an endpoint could not be opened or a plan was refused.
 *
 * So a program that reads reports gets a report in that case, too.
 *
 * @param ret_report  The caller frees it.
 * @param error       Borrowed for the call; its strings are copied.
 *
 * @return 0; -EINVAL: the code of the error is no negative errno, or its side is none of enum leat_side; -ENOMEM.
 */
LEAT_API int leat_report_from_error(leat_report **ret_report, const struct leat_error *error);

/**
 * Gives the report as several lines for people.
 *
 * @param ret_text  The lines; leat_free frees them.
 *
 * @return 0; -ENOMEM.
 */
LEAT_API int leat_report_text(const leat_report *report, char **ret_text);

/**
 * Frees a report.
 *
 * @param report  May be NULL.
 */
LEAT_API void leat_report_free(leat_report *report);

#ifdef __cplusplus
}
#endif
#endif
