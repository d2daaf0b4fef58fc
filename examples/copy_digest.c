/* The simplest copy with a digest: copy_digest SOURCE TARGET prints a line that sha256sum -c reads. TARGET appears
 * whole, or not at all. */
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>

static int explain(const struct leat_error *error)
{
    fprintf(stderr, "copy_digest: %s: %s: %s\n", error->node, error->operation, error->text);
    return 1;
}

/* Pipelines take what is handed to them, on failure too: after an error only the pipeline is left to free. */
static int build(leat_pipeline *pipeline, const char *source, const char *target)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_endpoint *in, *out;
    leat_filter *digest;

    if (leat_endpoint_open(&in, source, LEAT_READ, NULL, &error) < 0)
        return explain(&error);
    int r = leat_pipeline_source(pipeline, in);
    if (r == 0 && leat_endpoint_open(&out, target, LEAT_WRITE, NULL, &error) < 0)
        return explain(&error);
    if (r == 0)
        r = leat_pipeline_sink(pipeline, out, NULL);
    if (r == 0)
        r = leat_filter_digest(&digest, "sha256", NULL);
    if (r == 0)
        r = leat_pipeline_filter(pipeline, digest);
    if (r < 0)
        fprintf(stderr, "copy_digest: %s\n", strerror(-r));
    return r < 0;
}

static int run(leat_pipeline *pipeline, const char *target)
{
    leat_report *report = NULL;
    char hex[LEAT_DIGEST_HEX_MAX];
    int r = leat_pipeline_run(pipeline, &report);
    int failed = 0;

    if (!report) {
        fprintf(stderr, "copy_digest: %s\n", strerror(-r));
        return 1;
    }
    if (r < 0) {
        failed = explain(leat_report_error(report));
    } else if ((r = leat_report_digest(report, "sha256", hex, sizeof(hex))) < 0) {
        fprintf(stderr, "copy_digest: no digest: %s\n", strerror(-r));
        failed = 1;
    } else {
        printf("%s  %s\n", hex, target);
    }
    leat_report_free(report);
    return failed;
}

int main(int argc, char **argv)
{
    leat_pipeline *pipeline;
    if (argc != 3) {
        fprintf(stderr, "usage: copy_digest SOURCE TARGET\n");
        return 2;
    }
    int r = leat_pipeline_new(&pipeline, NULL);
    if (r < 0) {
        fprintf(stderr, "copy_digest: %s\n", strerror(-r));
        return 1;
    }
    int failed = build(pipeline, argv[1], argv[2]);
    if (!failed)
        failed = run(pipeline, argv[2]);
    leat_pipeline_free(pipeline);
    return failed;
}
