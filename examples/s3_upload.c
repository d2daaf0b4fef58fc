/* SPDX-License-Identifier: MIT */
/* Uploads a file to S3: s3_upload FILE BUCKET KEY prints a line in the form of sha256sum. A file of more than 8 MiB is
 * sent in parts, three at a time. The object appears as a whole or not at all, and an existing object is not replaced.
 * The keys are in the environment (AWS_ACCESS_KEY_ID, ...); AWS_ENDPOINT_URL names a store other than Amazon's. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

#define PART (8 * 1024 * 1024)

static int say(const char *what, int r)
{
    fprintf(stderr, "s3_upload: %s: %s\n", what, strerror(-r));
    return 1;
}

static int explain(const struct leat_error *error)
{
    fprintf(stderr, "s3_upload: %s: %s: %s\n", error->node, error->operation, error->text);
    return 1;
}

/* A pipeline takes each endpoint and filter, on failure too. So after an error only the pipeline has to be freed. */
static int build(leat_pipeline *pipeline, const char *file, const char *object)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_endpoint_options options = LEAT_INIT(struct leat_endpoint_options);
    leat_endpoint *from, *to;
    leat_filter *digest;
    options.part_size = PART;
    options.no_clobber = 1;
    if (leat_endpoint_open(&from, file, LEAT_READ, NULL, &error) < 0)
        return explain(&error);
    int r = leat_pipeline_source(pipeline, from);
    if (r == 0 && leat_endpoint_open(&to, object, LEAT_WRITE, &options, &error) < 0)
        return explain(&error);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, to, NULL, NULL);
    if (r == 0)
        r = leat_filter_digest(&digest, "sha256", NULL, NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, digest);
    return r < 0 ? say("building", r) : 0;
}

static int run(leat_pipeline *pipeline, const char *object)
{
    leat_report *report = NULL;
    char hex[LEAT_DIGEST_HEX_MAX];
    int r = leat_pipeline_run(pipeline, &report), failed = 0;
    if (!report)
        return say("running", r);
    if (r < 0)
        failed = explain(leat_report_error(report));
    else if ((r = leat_report_digest(report, "sha256", hex, sizeof(hex))) < 0)
        failed = say("digest", r);
    else
        printf("%s  %s\n", hex, object);
    leat_report_free(report);
    return failed;
}

int main(int argc, char **argv)
{
    char object[2048];
    leat_pipeline *pipeline;
    if (argc != 4) {
        fprintf(stderr, "usage: s3_upload FILE BUCKET KEY\n");
        return 2;
    }
    /* A key is used as it is. */
    if (snprintf(object, sizeof(object), "s3://%s/%s", argv[2], argv[3]) >= (int)sizeof(object)) {
        fprintf(stderr, "s3_upload: the key is too long\n");
        return 2;
    }
    int r = leat_pipeline_new(&pipeline, NULL, NULL);
    if (r < 0)
        return say("beginning", r);
    int failed = build(pipeline, argv[1], object);
    if (!failed)
        failed = run(pipeline, object);
    leat_pipeline_free(pipeline);
    return failed;
}
