/* SPDX-License-Identifier: MIT */
/* Any bytes as the text of a pipeline: it is refused with a sentence and a column within the text, or has a source and
 * a sink; and nothing is opened. */
// instrumented: registry/text registry/words registry/settings registry/filters registry/schemes
// instrumented: filter/codec base/units
#include <leat/leat.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A descriptor that was left open would have taken this number. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

static void check_refusal(const char *text, int code, const struct leat_error *error)
{
    if (error->code != code || !error->text[0] || !memchr(error->text, '\0', sizeof(error->text)) ||
        error->offset > strlen(text) || error->node[0] || !error->operation[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    int before = next_descriptor();
    char *text = malloc(n + 1);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_pipeline *pipeline;
    if (!text)
        return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    int r = leat_pipeline_parse(&pipeline, text, NULL, &error);
    if (r < 0)
        check_refusal(text, r, &error);
    else if (!leat_pipeline_name(pipeline, LEAT_SIDE_SOURCE, 0) || !leat_pipeline_name(pipeline, LEAT_SIDE_SINK, 0))
        abort();
    else
        leat_pipeline_free(pipeline);
    if (next_descriptor() != before)
        abort();
    free(text);
    return 0;
}
