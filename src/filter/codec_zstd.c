/* SPDX-License-Identifier: MIT */
/* zstd and unzstd with libzstd.
 *
 * The decoder must not be called without need: libzstd counts calls that make no progress, and fails at the sixteenth.
 * So `pending` tells whether a call without new input may give more output. */
#define ZSTD_STATIC_LINKING_ONLY /* for the two functions that estimate memory, which are declared only here */
#include "base/library.h"
#include "filter/codec.h"
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

static void take(struct filter_buffers *b, const ZSTD_inBuffer *in, const ZSTD_outBuffer *out)
{
    b->in += in->pos;
    b->in_n -= in->pos;
    b->out += out->pos;
    b->out_n -= out->pos;
}

/* ---- zstd ---- */

enum {
    LEVEL,
    CHECKSUM
};

static void level_range(int *ret_least, int *ret_most)
{
    *ret_least = ZSTD_minCLevel();
    *ret_most = ZSTD_maxCLevel();
}

static void checksum_range(int *ret_least, int *ret_most)
{
    *ret_least = 0;
    *ret_most = 1;
}

static int zstd_open(void **ret, const int *value)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        return -ENOMEM;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, value[LEVEL]);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, value[CHECKSUM]);
    *ret = context;
    return 0;
}

static void zstd_start(void *state)
{
    ZSTD_CCtx_reset(state, ZSTD_reset_session_only);
}

static int zstd_transform(void *state, struct filter_buffers *b, int mode, const char **ret_why)
{
    static const ZSTD_EndDirective directives[] = {
        [LEAT_FILTER_MORE] = ZSTD_e_continue,
        [LEAT_FILTER_FLUSH] = ZSTD_e_flush,
        [LEAT_FILTER_FINISH] = ZSTD_e_end,
    };
    ZSTD_inBuffer in = {b->in, b->in_n, 0};
    ZSTD_outBuffer out = {b->out, b->out_n, 0};
    size_t left;
    bool done;
    do {
        left = ZSTD_compressStream2(state, &out, &in, directives[mode]);
        done = mode == LEAT_FILTER_MORE ? in.pos == in.size : left == 0;
    } while (!ZSTD_isError(left) && !done && out.pos < out.size);
    take(b, &in, &out);
    if (ZSTD_isError(left)) {
        *ret_why = ZSTD_getErrorName(left);
        return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
    }
    return done ? LEAT_FILTER_DONE : LEAT_FILTER_FULL;
}

static uint64_t zstd_memory(const int *value)
{
    return ZSTD_estimateCStreamSize(value[LEVEL]);
}

static void zstd_close(void *state)
{
    ZSTD_freeCCtx(state);
}

/* The distance that matches of this level reach, so that little compression is lost at the start of a block. */
static size_t zstd_block(const int *value)
{
    unsigned window_log = ZSTD_getCParams(value[LEVEL], 0, 0).windowLog;
    return (size_t)1 << MAX(MIN(window_log, 23), 20);
}

const struct codec codec_zstd = {
    .name = "zstd",
    .operation = "compress",
    .option = {[LEVEL] = {"level", ZSTD_CLEVEL_DEFAULT, level_range}, [CHECKSUM] = {"checksum", 1, checksum_range}},
    .open = zstd_open,
    .start = zstd_start,
    .transform = zstd_transform,
    .memory = zstd_memory,
    .close = zstd_close,
    .block = zstd_block,
};

/* ---- unzstd ---- */

enum {
    WINDOW_LOG
};

struct unzstd {
    ZSTD_DCtx *context;
    bool inside;  /* in a frame; also before the first one, because empty input is not valid */
    bool pending; /* the output was full, so libzstd may have more bytes */
};

static void window_range(int *ret_least, int *ret_most)
{
    ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
    *ret_least = bounds.lowerBound;
    *ret_most = bounds.upperBound;
}

static void unzstd_start(void *state)
{
    struct unzstd *u = state;
    ZSTD_DCtx_reset(u->context, ZSTD_reset_session_only);
    u->inside = true;
    u->pending = false;
}

static int unzstd_open(void **ret, const int *value)
{
    struct unzstd *u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->context = ZSTD_createDCtx();
    if (!u->context) {
        free(u);
        return -ENOMEM;
    }
    ZSTD_DCtx_setParameter(u->context, ZSTD_d_windowLogMax, value[WINDOW_LOG]);
    unzstd_start(u);
    *ret = u;
    return 0;
}

static int unzstd_failed(size_t result, const char **ret_why)
{
    *ret_why = ZSTD_getErrorName(result);
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        return -ENOMEM;
    case ZSTD_error_frameParameter_windowTooLarge:
        *ret_why = "The frame needs a larger window than is allowed";
        return -E2BIG;
    case ZSTD_error_prefix_unknown:
        *ret_why = "There is something that is no zstd frame";
        return -EBADMSG;
    default:
        return -EBADMSG;
    }
}

static int unzstd_transform(void *state, struct filter_buffers *b, int mode, const char **ret_why)
{
    struct unzstd *u = state;
    ZSTD_inBuffer in = {b->in, b->in_n, 0};
    ZSTD_outBuffer out = {b->out, b->out_n, 0};
    size_t left = 0;
    while (!ZSTD_isError(left) && out.pos < out.size && (in.pos < in.size || u->pending)) {
        left = ZSTD_decompressStream(u->context, &out, &in);
        u->inside = left != 0;
        u->pending = left != 0 && out.pos == out.size;
    }
    take(b, &in, &out);
    if (ZSTD_isError(left))
        return unzstd_failed(left, ret_why);
    if (b->in_n > 0 || u->pending)
        return LEAT_FILTER_FULL;
    if (mode == LEAT_FILTER_FINISH && u->inside) {
        *ret_why = "The input ends before its frame does";
        return -EBADMSG;
    }
    return LEAT_FILTER_DONE;
}

static uint64_t unzstd_memory(const int *value)
{
    return ZSTD_estimateDStreamSize((size_t)1 << value[WINDOW_LOG]);
}

static void unzstd_close(void *state)
{
    struct unzstd *u = state;
    ZSTD_freeDCtx(u->context);
    free(u);
}

const struct codec codec_unzstd = {
    .name = "unzstd",
    .operation = "decompress",
    .option = {[WINDOW_LOG] = {"windowlog", 27, window_range}},
    .open = unzstd_open,
    .start = unzstd_start,
    .transform = unzstd_transform,
    .memory = unzstd_memory,
    .close = unzstd_close,
};

const struct library library_zstd = {"libzstd", "zstd and unzstd", ZSTD_versionString, false};
