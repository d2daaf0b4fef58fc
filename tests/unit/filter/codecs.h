/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of the codecs: pairs of codecs, inputs of different kinds, and a run from memory to memory. */
#ifndef TESTS_FILTER_CODECS_H
#define TESTS_FILTER_CODECS_H

#include "bridge/codec.h"
#include "drive.h"

struct codec_pair {
    const char *packs, *unpacks;
};
static const struct codec_pair codec_pairs[] = {{"zstd", "unzstd"}, {"gzip", "gunzip"}};

/* Does this build have the codec's library? If not, the test skips the pair. */
static inline bool codec_is_there(const char *name)
{
    leat_filter *filter = NULL;
    bool there = leat_filter_codec(&filter, name, NULL) == 0;
    leat_filter_free(filter);
    return there;
}

static inline const struct codec_pair *next_pair(const struct codec_pair *pair)
{
    do
        pair = pair ? pair + 1 : codec_pairs;
    while (pair < codec_pairs + COUNT(codec_pairs) && !codec_is_there(pair->packs));
    return pair < codec_pairs + COUNT(codec_pairs) ? pair : NULL;
}
static inline leat_filter *codec(const char *name, const char *options)
{
    leat_filter *filter = NULL;
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (filter_codec(&filter, name, options, &error) < 0)
        fail_msg("%s", error.text);
    return filter;
}

/* Makes a whole run and returns its result. */
static inline int run_codec(const char *name, const char *options, const void *in, size_t n, struct drive how,
                            struct bytes *ret, struct leat_error *error)
{
    leat_filter *filter = codec(name, options);
    int r = drive(filter, in, n, how, ret, error);
    leat_filter_free(filter);
    return r;
}

static inline struct bytes packed(const char *name, const char *options, const void *in, size_t n)
{
    struct bytes out = {0};
    struct leat_error error = LEAT_INIT(struct leat_error);
    if (run_codec(name, options, in, n, (struct drive){.piece = 1000, .room = 65536}, &out, &error) < 0)
        fail_msg("%s", error.text);
    return out;
}

static inline void assert_bytes(const struct bytes *got, const void *expected, size_t n)
{
    assert_int_equal(got->n, n);
    if (n > 0)
        assert_memory_equal(got->data, expected, n);
}

/* Fills the buffer with words, which compress, and with noise in between. */
static inline void fill_text(uint8_t *bytes, size_t n)
{
    static const char *const words[] = {"leat ", "mill ", "water ", "wheel\n", "sluice ", "race "};
    for (size_t i = 0; i < n;) {
        const char *word = words[drive_random() % COUNT(words)];
        for (size_t k = 0; word[k] && i < n; k++)
            bytes[i++] = (uint8_t)(drive_random() % 50 == 0 ? drive_random() : (uint8_t)word[k]);
    }
}

static inline void fill_noise(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)drive_random();
}

#endif
