/* SPDX-License-Identifier: MIT */
/* objects COUNT PREFIX FOLDER: the objects PREFIX0, PREFIX1, ... become files of the folder, which is made. Pipelines
 * on one engine, some at a time, as a program with many objects to fetch would do it. */
#include "tool.h"
#include <leat/leat.h>
#include <sys/stat.h>

#define AT_ONCE 32

static leat_pipeline *start(leat_engine *engine, const char *prefix, const char *folder, size_t number)
{
    struct leat_pipeline_options options = {.size = sizeof(options), .shared_engine = engine};
    char from[2048], to[2048];
    leat_endpoint *source, *sink;
    leat_pipeline *pipeline;
    snprintf(from, sizeof(from), "%s%zu", prefix, number);
    snprintf(to, sizeof(to), "file:%s/%zu", folder, number);
    tool_must(leat_pipeline_new(&pipeline, &options, NULL), "leat_pipeline_new");
    tool_must(leat_endpoint_open(&source, from, LEAT_READ, NULL, NULL), from);
    tool_must(leat_pipeline_source(pipeline, source), from);
    tool_must(leat_endpoint_open(&sink, to, LEAT_WRITE, NULL, NULL), to);
    tool_must(leat_pipeline_sink(pipeline, sink, NULL, NULL), to);
    tool_must(leat_pipeline_start(pipeline), from);
    return pipeline;
}

static void end(leat_pipeline *pipeline)
{
    tool_must(leat_pipeline_wait(pipeline, -1, NULL), leat_pipeline_name(pipeline, LEAT_SIDE_SOURCE, 0));
    leat_pipeline_free(pipeline);
}

int main(int argc, char **argv)
{
    leat_pipeline *running[AT_ONCE] = {NULL};
    leat_engine *engine;
    if (argc != 4)
        tool_usage("objects COUNT PREFIX FOLDER");
    size_t count = (size_t)tool_number(argv[1]);
    if (mkdir(argv[3], 0777) < 0)
        tool_fail(argv[3]);
    tool_must(leat_engine_new(&engine, NULL, NULL), "leat_engine_new");
    for (size_t i = 0; i < count + AT_ONCE; i++) {
        leat_pipeline **slot = &running[i % AT_ONCE];
        if (*slot)
            end(*slot);
        *slot = i < count ? start(engine, argv[2], argv[3], i) : NULL;
    }
    leat_engine_free(engine);
    return 0;
}
