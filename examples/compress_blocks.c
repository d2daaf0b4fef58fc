/* SPDX-License-Identifier: MIT */
/* Compresses standard input to standard output with zstd, by several workers: compress_blocks WORKERS BLOCK_SIZE. Each
 * block becomes a frame of its own, in the order of the input. Frames in a row are one valid file, whatever the number
 * of workers. */
#include <errno.h>
#include <leat/leat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    size_t n;
    char bytes[];
};

static void block_free(void *user, void *item)
{
    (void)user;
    free(item);
}

/* The source. An empty input gives one empty block, because a file without a frame is not valid. */
static int next_block(void *user, void **ret)
{
    static int blocks;
    size_t size = *(size_t *)user;
    struct block *block = malloc(sizeof(*block) + size);
    if (!block)
        return -ENOMEM;
    block->n = fread(block->bytes, 1, size, stdin);
    if (ferror(stdin) || (block->n == 0 && blocks > 0)) {
        free(block);
        return ferror(stdin) ? -EIO : LEAT_STAGES_END;
    }
    blocks++;
    *ret = block;
    return 0;
}

/* Moves one block through a pipeline: memory, zstd, memory. */
static int through_zstd(const struct block *from, struct block *to, size_t room)
{
    leat_pipeline *pipeline;
    leat_endpoint *end;
    leat_filter *codec;
    int r = leat_pipeline_new(&pipeline, NULL, NULL);
    if (r < 0)
        return r;
    if ((r = leat_filter_codec(&codec, "zstd", NULL)) == 0)
        r = leat_pipeline_filter(pipeline, codec);
    if (r == 0 && (r = leat_endpoint_from_memory(&end, from->bytes, from->n)) == 0)
        r = leat_pipeline_source(pipeline, end);
    if (r == 0 && (r = leat_endpoint_to_memory(&end, to->bytes, room, &to->n)) == 0)
        r = leat_pipeline_sink(pipeline, end, NULL, NULL);
    if (r == 0)
        r = leat_pipeline_run(pipeline, NULL);
    leat_pipeline_free(pipeline);
    return r;
}

/* The stage. */
static int compress(leat_work *work, void *item, void *user)
{
    struct block *from = item;
    size_t room = from->n + from->n / 128 + 1024; /* more than zstd ever needs */
    struct block *to = malloc(sizeof(*to) + room);
    (void)user;
    int r = to ? through_zstd(from, to, room) : -ENOMEM;
    if (r < 0) {
        free(to);
        return r;
    }
    free(from);
    return leat_work_emit(work, to, -1);
}

/* The sink. */
static int print(void *user, void *item)
{
    struct block *block = item;
    (void)user;
    if (fwrite(block->bytes, 1, block->n, stdout) != block->n)
        return -EIO;
    free(block);
    return 0;
}

int main(int argc, char **argv)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    struct leat_error error = LEAT_INIT(struct leat_error);
    leat_stages *stages;
    size_t size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (size == 0) {
        fprintf(stderr, "usage: compress_blocks WORKERS BLOCK_SIZE\n");
        return 2;
    }
    options.dispose = block_free;
    options.queue = 4; /* bounds the memory: a few blocks for each worker, and these */
    stage.name = "zstd";
    stage.function = compress;
    stage.dispose = block_free;
    stage.workers = (uint32_t)strtoul(argv[1], NULL, 10);
    stage.queue = 4;
    stage.ordered = 1;
    int r = leat_stages_new(&stages, &options, NULL);
    if (r == 0) {
        r = leat_stages_add(stages, &stage, NULL);
        if (r == 0)
            r = leat_stages_run(stages, next_block, &size, print, NULL, &error);
        leat_stages_free(stages);
    }
    if (r == 0 && fflush(stdout) != 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "compress_blocks: %s\n", error.code ? error.text : strerror(-r));
    return r < 0;
}
