/* SPDX-License-Identifier: MIT */
/* leat/filter.h: every filter once, in one pipeline from memory to memory. */
#include "../swept.h"

static int observe(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    *(size_t *)user += n;
    return 0;
}

int main(void)
{
    static char from[10000], to[10000];
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    struct leat_buffer_options buffer = LEAT_INIT(struct leat_buffer_options);
    leat_pipeline *pipeline = NULL;
    leat_filter *filter = NULL, *digest = NULL;
    leat_endpoint *end = NULL;
    size_t seen = 0, n = 0;
    uint64_t bytes;
    char hex[LEAT_DIGEST_HEX_MAX];
    ops.name = "mine";
    ops.observe = observe;
    TRY(leat_pipeline_new(&pipeline, NULL, NULL));
    TRY(leat_endpoint_from_memory(&end, from, sizeof(from)));
    TRY(leat_pipeline_source(pipeline, end));
#define ADD(make)                                                                                                      \
    do {                                                                                                               \
        TRY(make);                                                                                                     \
        TRY(leat_pipeline_filter(pipeline, filter));                                                                   \
    } while (0)
    ADD(leat_filter_rate(&filter, UINT64_C(1) << 40));
    ADD(leat_filter_meter(&filter));
    ADD(leat_filter_skip(&filter, 1));
    ADD(leat_filter_head(&filter, 9000));
    ADD(leat_filter_codec(&filter, "gzip", NULL));
    ADD(leat_filter_exec(&filter, "cat"));
    buffer.bytes = 2000;
    buffer.start = 50;
    ADD(leat_filter_buffer(&filter, &buffer, NULL));
    ADD(leat_filter_codec(&filter, "gunzip", NULL));
    ADD(leat_filter_codec(&filter, "zstd", "level=1"));
    ADD(leat_filter_codec(&filter, "unzstd", NULL));
    ADD(leat_filter_custom(&filter, &ops, &seen, NULL));
    TRY(leat_filter_digest(&digest, "crc32c,xxh3", NULL, NULL));
    TRY(leat_pipeline_filter(pipeline, leat_filter_ref(digest)));
    TRY(leat_endpoint_to_memory(&end, to, sizeof(to), &n));
    TRY(leat_pipeline_sink(pipeline, end, NULL, NULL));
    TRY(leat_pipeline_run(pipeline, NULL));
    EXPECT(n == 9000 && seen == 9000);
    TRY(leat_filter_digest_hex(digest, "xxh3", hex, sizeof(hex)));
    TRY(leat_filter_bytes(digest, &bytes));
    EXPECT(bytes == 9000);
    TRY(leat_filter_digest_reset(digest));
done:
    leat_filter_free(digest);
    leat_pipeline_free(pipeline);
    return swept_result;
}
