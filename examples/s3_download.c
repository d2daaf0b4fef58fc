/* SPDX-License-Identifier: MIT */
/* Downloads an object of S3 to a file: s3_download BUCKET KEY TARGET SHA256. The transfer uses 4 MiB of memory, however
 * large the object is, and hashes the bytes on the way. TARGET is replaced if the digest is the expected one, and
 * otherwise stays as it was. The keys are in the environment (AWS_ACCESS_KEY_ID, ...); AWS_ENDPOINT_URL names a store
 * other than Amazon's. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

#define MEMORY (4 * 1024 * 1024)

static int say(const char *what, int r)
{
    fprintf(stderr, "s3_download: %s: %s\n", what, strerror(-r));
    return 1;
}

static int explain(const struct leat_error *error)
{
    fprintf(stderr, "s3_download: %s: %s: %s\n", error->node, error->operation, error->text);
    return 1;
}

/* A pipeline takes each endpoint and filter, on failure too. So after an error only the pipeline has to be freed. */
static int build(leat_pipeline *pipeline, const char *object, const char *target)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *from, *to;
    if (leat_endpoint_open(&from, object, LEAT_READ, NULL, &error) < 0)
        return explain(&error);
    int r = leat_pipeline_source(pipeline, from);
    if (r == 0 && leat_endpoint_open(&to, target, LEAT_WRITE, NULL, &error) < 0)
        return explain(&error);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, to, NULL, NULL);
    return r < 0 ? say("building", r) : 0;
}

/* The pipeline has the expected digest as an option. If the connection breaks, the transfer continues at that byte. */
static int run(leat_pipeline *pipeline)
{
    leat_report *report = NULL;
    int r = leat_pipeline_run(pipeline, &report), failed = r < 0;
    if (!report)
        return say("running", r);
    if (failed)
        explain(leat_report_error(report));
    else
        printf("%llu bytes\n", (unsigned long long)leat_report_bytes(report));
    leat_report_free(report);
    return failed;
}

int main(int argc, char **argv)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    char object[2048], expected[128], target[4096];
    leat_pipeline *pipeline;
    if (argc != 5) {
        fprintf(stderr, "usage: s3_download BUCKET KEY TARGET SHA256\n");
        return 2;
    }
    /* A key is used as it is. "file:" makes TARGET a path even if it has a colon. */
    int n = snprintf(object, sizeof(object), "s3://%s/%s", argv[1], argv[2]);
    int m = snprintf(target, sizeof(target), "file:%s", argv[3]);
    int k = snprintf(expected, sizeof(expected), "sha256:%s", argv[4]);
    if (n >= (int)sizeof(object) || m >= (int)sizeof(target) || k >= (int)sizeof(expected)) {
        fprintf(stderr, "s3_download: a name is too long\n");
        return 2;
    }
    options.memory_limit = MEMORY;
    options.expect = expected;
    int r = leat_pipeline_new(&pipeline, &options, NULL);
    if (r < 0)
        return say("expecting", r);
    int failed = build(pipeline, object, target);
    if (!failed)
        failed = run(pipeline);
    leat_pipeline_free(pipeline);
    return failed;
}
