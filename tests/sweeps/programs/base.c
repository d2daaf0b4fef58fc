/* SPDX-License-Identifier: MIT */
/* leat/base.h, leat/probe.h, leat/pool.h, leat/record.h: what they have beside what others use of them. */
#include "../swept.h"

int main(void)
{
    struct leat_features features = LEAT_INIT(struct leat_features);
    struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
    struct leat_pool_usage stats = LEAT_INIT(struct leat_pool_usage);
    struct leat_record *record = NULL;
    leat_stream *stream = NULL;
    leat_pool *pool = NULL;
    char text[LEAT_SIZE_TEXT_MAX];
    uint64_t size;
    int32_t ms;
    TRY(leat_size_parse("3K", &size));
    TRY(leat_time_parse("3s", &ms));
    EXPECT(leat_processors_count() >= 1);
    EXPECT(leat_size_format(text, sizeof(text), size, 0) == 2 && strcmp(text, "3K") == 0);
    EXPECT(size == 3072 && ms == 3000);
    TRY(leat_features_probe(&features));
    EXPECT(features.count > 10);
    options.memory_limit = 1 << 20;
    TRY(leat_pool_new(&pool, &options, NULL));
    TRY(leat_stream_new(&stream, pool, NULL, NULL));
    TRY(leat_stream_append(stream, "abc", 3));
    TRY(leat_pool_stats(pool, &stats));
    EXPECT(stats.in_use > 0);
    leat_stream_free(stream);
    stream = NULL;
    leat_pool_trim(pool);
    TRY(leat_record_new(&record, "abc", 3));
    EXPECT(leat_record_size(NULL, record) == 3);
done:
    leat_record_free(record);
    leat_stream_free(stream);
    leat_pool_free(pool);
    return swept_result;
}
