/* SPDX-License-Identifier: MIT */
/* Any bytes for a codec: the first chooses it, the second how its input and output are cut. A decoder gives bytes and
 * then the end or -EBADMSG, or -E2BIG for a window; what a compressor gives, its decoder takes back. */
// instrumented: filter/codec filter/codec_zlib filter/codec_zstd node/filter
#include "filter/codec.h"
#include <errno.h>

struct bytes {
    uint8_t *data;
    size_t n, room;
};

/* Enough of a bomb is enough. */
#define BYTES_MAX (4u << 20)

static void add(struct bytes *bytes, const uint8_t *more, size_t n)
{
    if (bytes->n + n > bytes->room) {
        bytes->room = 2 * (bytes->n + n);
        bytes->data = realloc(bytes->data, bytes->room);
        if (!bytes->data)
            abort();
    }
    if (n > 0)
        memcpy(bytes->data + bytes->n, more, n);
    bytes->n += n;
}

/* One piece, through rooms of this size. */
static int feed(leat_filter *filter, const uint8_t *in, size_t n, int mode, size_t room, struct bytes *ret,
                struct leat_error *error)
{
    uint8_t *piece = malloc(n + 1), *out = malloc(room);
    struct filter_buffers b = {.in = piece, .in_n = n};
    int r = LEAT_FILTER_FULL;
    if (!piece || !out)
        abort();
    memcpy(piece, in, n);
    while (r == LEAT_FILTER_FULL && ret->n < BYTES_MAX) {
        b.out = out;
        b.out_n = room;
        r = filter->ops->transform(filter, &b, mode, error);
        if ((r == LEAT_FILTER_FULL && b.out_n > 0) || (r == LEAT_FILTER_DONE && b.in_n > 0) || r > LEAT_FILTER_DONE + 1)
            abort();
        add(ret, out, room - b.out_n);
    }
    free(piece);
    free(out);
    return r;
}

static int run(leat_filter *filter, const uint8_t *in, size_t n, uint8_t cut, struct bytes *ret)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    size_t piece = (size_t)(cut & 15) * (cut & 15) + 1, room = (size_t)(cut >> 4) * (cut >> 4) * 10 + 1;
    int r = filter->ops->start(filter, 0, &error);
    for (size_t i = 0; n > piece && r == 0; i++, in += piece, n -= piece)
        r = feed(filter, in, piece, i % 3 == 2 ? LEAT_FILTER_FLUSH : LEAT_FILTER_MORE, room, ret, &error);
    if (r == 0)
        r = feed(filter, in, n, LEAT_FILTER_FINISH, room, ret, &error);
    if (error.code != (r < 0 ? r : 0) || (r < 0 && !error.text[0]))
        abort();
    return r;
}

static void check_decoder(const struct codec *codec, const uint8_t *in, size_t n, uint8_t cut)
{
    leat_filter *filter;
    struct bytes out = {0};
    if (leat_filter_codec(&filter, codec->name, NULL) < 0)
        return;
    int r = run(filter, in, n, cut, &out);
    if (r < 0 && r != -EBADMSG && r != -E2BIG)
        abort();
    leat_filter_free(filter);
    free(out.data);
}

static void check_both(const struct codec *pack, const struct codec *unpack, const uint8_t *in, size_t n, uint8_t cut)
{
    leat_filter *there, *back;
    struct bytes packed = {0}, out = {0};
    if (leat_filter_codec(&there, pack->name, NULL) < 0 || leat_filter_codec(&back, unpack->name, NULL) < 0)
        return;
    if (run(there, in, n, cut, &packed) != 0 || run(back, packed.data, packed.n, cut, &out) != 0)
        abort();
    if (out.n != n || (n > 0 && memcmp(out.data, in, n) != 0))
        abort();
    leat_filter_free(there);
    leat_filter_free(back);
    free(packed.data);
    free(out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2)
        return 0;
    switch (bytes[0] % 4) {
    case 0:
        check_decoder(&codec_unzstd, bytes + 2, n - 2, bytes[1]);
        break;
    case 1:
        check_decoder(&codec_gunzip, bytes + 2, n - 2, bytes[1]);
        break;
    case 2:
        check_both(&codec_zstd, &codec_unzstd, bytes + 2, n - 2, bytes[1]);
        break;
    default:
        check_both(&codec_gzip, &codec_gunzip, bytes + 2, n - 2, bytes[1]);
        break;
    }
    return 0;
}
