/* SPDX-License-Identifier: MIT */
/* gzip and gunzip with zlib.
 *
 * If the last byte of a flush just fills the output, deflate can't tell that the flush is complete, and the next call
 * starts another flush. So with an output of one byte a flush would never end. Therefore deflate writes to a buffer of
 * its own, `room`, from which the filter copies. The compressed bytes do not depend on the sizes of the pieces in which
 * they are fetched. */
#define ZLIB_CONST /* makes next_in const */
#include "base/library.h"
#include "filter/codec.h"
#include <errno.h>
#include <limits.h>
#include <zlib.h>

#define WINDOW_BITS 15
#define GZIP_FORMAT 16   /* added to the window bits: the format is gzip and nothing else */
#define MAGIC       0x1f /* the first byte of a member */
#define MEMORY      8
#define ROOM        (16 * 1024)

static uInt clamp(size_t n)
{
    return (uInt)MIN(n, UINT_MAX);
}

static void took(struct filter_buffers *b, size_t n)
{
    b->in += n;
    b->in_n -= n;
}

/* ---- gzip ---- */

enum {
    LEVEL
};

struct gzip {
    z_stream z;
    bool done;       /* deflate has put out all bytes that the last mode asked for */
    size_t from, to; /* the bytes of `room` that are not fetched yet */
    uint8_t room[ROOM];
};

static void level_range(int *ret_least, int *ret_most)
{
    *ret_least = 1;
    *ret_most = 9;
}

/* zlib writes its default header, which has no name and no time; so the same bytes always give the same member. */
static int gzip_open(void **ret, const int *value)
{
    struct gzip *g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    if (deflateInit2(&g->z, value[LEVEL], Z_DEFLATED, WINDOW_BITS + GZIP_FORMAT, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(g);
        return -ENOMEM;
    }
    *ret = g;
    return 0;
}

static void gzip_start(void *state)
{
    struct gzip *g = state;
    deflateReset(&g->z);
    g->from = g->to = 0;
    g->done = false;
}

static void fetch(struct gzip *g, struct filter_buffers *b)
{
    size_t n = MIN(g->to - g->from, b->out_n);
    memcpy(b->out, g->room + g->from, n);
    g->from += n;
    b->out += n;
    b->out_n -= n;
}

/* Fills `room`, which is empty. If there is more input than fits into one call, this call does not flush yet. */
static int compress_more(struct gzip *g, struct filter_buffers *b, int mode)
{
    static const int flushes[] = {
        [LEAT_FILTER_MORE] = Z_NO_FLUSH,
        [LEAT_FILTER_FLUSH] = Z_SYNC_FLUSH,
        [LEAT_FILTER_FINISH] = Z_FINISH,
    };
    uInt n = clamp(b->in_n);
    g->z.next_in = b->in;
    g->z.avail_in = n;
    g->z.next_out = g->room;
    g->z.avail_out = ROOM;
    int r = deflate(&g->z, n < b->in_n ? Z_NO_FLUSH : flushes[mode]);
    took(b, n - g->z.avail_in);
    g->from = 0;
    g->to = ROOM - g->z.avail_out;
    g->done = b->in_n == 0 &&
              (mode == LEAT_FILTER_MORE || r == Z_STREAM_END || (mode == LEAT_FILTER_FLUSH && g->z.avail_out > 0));
    return r;
}

/* Z_BUF_ERROR is not a failure: there was nothing to do, for example in a flush right after a flush. */
static int gzip_transform(void *state, struct filter_buffers *b, int mode, const char **ret_why)
{
    struct gzip *g = state;
    for (;;) {
        fetch(g, b);
        if (g->from < g->to)
            return LEAT_FILTER_FULL;
        if (g->done && b->in_n == 0) {
            g->done = false;
            return LEAT_FILTER_DONE;
        }
        int r = compress_more(g, b, mode);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
            *ret_why = "zlib could not compress";
            return -EIO;
        }
    }
}

/* The formula of zlib's manual. */
static uint64_t gzip_memory(const int *value UNUSED)
{
    return sizeof(struct gzip) + (1u << (WINDOW_BITS + 2)) + (1u << (MEMORY + 9));
}

static void gzip_close(void *state)
{
    struct gzip *g = state;
    deflateEnd(&g->z);
    free(g);
}

/* About 30 windows. */
static size_t gzip_block(const int *value UNUSED)
{
    return 1 << 20;
}

const struct codec codec_gzip = {
    .name = "gzip",
    .operation = "compress",
    .option = {[LEVEL] = {"level", 6, level_range}},
    .open = gzip_open,
    .start = gzip_start,
    .transform = gzip_transform,
    .memory = gzip_memory,
    .close = gzip_close,
    .block = gzip_block,
};

/* ---- gunzip ---- */

struct gunzip {
    z_stream z;
    enum {
        INSIDE,  /* in a member; also before the first one, because empty input is not valid */
        BETWEEN, /* after a member */
        PADDING, /* after the last one: only zeros may follow, such as the padding of a tape */
    } where;
    bool pending; /* the output was full, so zlib may have more bytes */
};

static void gunzip_start(void *state)
{
    struct gunzip *g = state;
    inflateReset(&g->z);
    g->where = INSIDE;
    g->pending = false;
}

static int gunzip_open(void **ret, const int *value UNUSED)
{
    struct gunzip *g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    if (inflateInit2(&g->z, WINDOW_BITS + GZIP_FORMAT) != Z_OK) {
        free(g);
        return -ENOMEM;
    }
    *ret = g;
    return 0;
}

/* Skips zeros after a member. Any other byte must start another member. */
static int between(struct gunzip *g, struct filter_buffers *b, const char **ret_why)
{
    while (b->in_n > 0 && b->in[0] == 0) {
        g->where = PADDING;
        took(b, 1);
    }
    if (b->in_n == 0)
        return 0;
    if (g->where == PADDING || b->in[0] != MAGIC) {
        *ret_why = "Something follows the last member that is no other one";
        return -EBADMSG;
    }
    inflateReset(&g->z);
    g->where = INSIDE;
    return 0;
}

/* Decompresses a part of a member. */
static int decompress(struct gunzip *g, struct filter_buffers *b, const char **ret_why)
{
    uInt in_n = clamp(b->in_n), out_n = clamp(b->out_n);
    g->z.next_in = b->in;
    g->z.avail_in = in_n;
    g->z.next_out = b->out;
    g->z.avail_out = out_n;
    int r = inflate(&g->z, Z_SYNC_FLUSH);
    took(b, in_n - g->z.avail_in);
    b->out += out_n - g->z.avail_out;
    b->out_n -= out_n - g->z.avail_out;
    g->pending = r != Z_STREAM_END && g->z.avail_out == 0;
    if (r == Z_STREAM_END)
        g->where = BETWEEN;
    if (r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR)
        return 0;
    *ret_why = g->z.msg ? g->z.msg : "zlib could not decompress";
    return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int gunzip_transform(void *state, struct filter_buffers *b, int mode, const char **ret_why)
{
    struct gunzip *g = state;
    while (b->in_n > 0 || (g->pending && b->out_n > 0)) {
        if (g->where == INSIDE && b->out_n == 0)
            return LEAT_FILTER_FULL;
        int r = g->where == INSIDE ? decompress(g, b, ret_why) : between(g, b, ret_why);
        if (r < 0)
            return r;
    }
    if (g->pending)
        return LEAT_FILTER_FULL;
    if (mode == LEAT_FILTER_FINISH && g->where == INSIDE) {
        *ret_why = "The input ends before its member does";
        return -EBADMSG;
    }
    return LEAT_FILTER_DONE;
}

/* The formula of zlib's manual, rounded. */
static uint64_t gunzip_memory(const int *value UNUSED)
{
    return sizeof(struct gunzip) + (1u << WINDOW_BITS) + 7 * 1024;
}

static void gunzip_close(void *state)
{
    struct gunzip *g = state;
    inflateEnd(&g->z);
    free(g);
}

const struct codec codec_gunzip = {
    .name = "gunzip",
    .operation = "decompress",
    .open = gunzip_open,
    .start = gunzip_start,
    .transform = gunzip_transform,
    .memory = gunzip_memory,
    .close = gunzip_close,
};

const struct library library_zlib = {"zlib", "gzip and gunzip", zlibVersion, false};
