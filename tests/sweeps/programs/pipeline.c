/* SPDX-License-Identifier: MIT */
/* leat/pipeline.h: alone, started and waited for, on a shared engine (the argument names it), and as text. */
#include "../swept.h"

static char from[10000], to[10000];

static void fill(leat_pipeline *pipeline, size_t *ret_n)
{
    leat_endpoint *end;
    leat_filter *digest;
    TRY(leat_endpoint_from_memory(&end, from, sizeof(from)));
    TRY(leat_pipeline_source(pipeline, end));
    TRY(leat_filter_digest(&digest, "crc32c", NULL, NULL));
    TRY(leat_pipeline_filter(pipeline, digest));
    TRY(leat_endpoint_to_memory(&end, to, sizeof(to), ret_n));
    TRY(leat_pipeline_sink(pipeline, end, NULL, NULL));
done:;
}

static void use(leat_engine *engine)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    struct leat_progress progress = LEAT_INIT(struct leat_progress);
    leat_pipeline *pipeline = NULL;
    leat_report *report = NULL;
    char *text = NULL, hex[LEAT_DIGEST_HEX_MAX];
    size_t n = 0;
    int fd;
    options.shared_engine = engine;
    options.expect = "crc32c:99d04ed8";
    options.expect = NULL;
    TRY(leat_pipeline_new(&pipeline, &options, NULL));
    fill(pipeline, &n);
    if (swept_result)
        goto done;
    TRY(leat_pipeline_check(pipeline, NULL));
    TRY(leat_pipeline_explain(pipeline, LEAT_FORMAT_JSON, &text));
    leat_free(text);
    text = NULL;
    TRY(leat_pipeline_fd(pipeline, &fd));
    TRY(leat_pipeline_start(pipeline));
    TRY(leat_pipeline_progress(pipeline, &progress));
    TRY(leat_pipeline_wait(pipeline, -1, &report));
    EXPECT(n == sizeof(to) && leat_report_bytes(report) == sizeof(to));
    TRY(leat_report_digest(report, "crc32c", hex, sizeof(hex)));
    TRY(leat_report_json(report, &text));
    EXPECT(strstr(text, "\"sinks\":[{") && strstr(text, hex) && strstr(text, "\"hops\":[{"));
    leat_free(text);
    text = NULL;
    TRY(leat_report_text(report, &text));
    EXPECT(strstr(text, hex));
done:
    leat_free(text);
    leat_report_free(report);
    leat_pipeline_free(pipeline);
}

static void use_text(void)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *pipeline = NULL;
    leat_report *report = NULL;
    TRY(leat_pipeline_parse(&pipeline, "zero: | head:1000 | gzip:level=1 | 'b' sync slow-sink=spill:1M & null:", NULL,
                            &error));
    TRY(leat_pipeline_run(pipeline, NULL));
done:
    leat_pipeline_free(pipeline);
    if (swept_result == 0 && leat_report_from_error(&report, &error) == -ENOMEM)
        swept_failed("leat_report_from_error", -ENOMEM);
    leat_report_free(report);
}

int main(int argc, char **argv)
{
    struct leat_engine_options options = LEAT_INIT(struct leat_engine_options);
    leat_engine *engine = NULL;
    use(NULL);
    if (swept_result)
        return swept_result;
    options.engine = argc > 1 ? argv[1] : "sync";
    TRY(leat_engine_new(&engine, &options, NULL));
    use(engine);
    if (swept_result == 0)
        use_text();
done:
    leat_engine_free(engine);
    return swept_result;
}
