/* SPDX-License-Identifier: MIT */
/* stages WAY N: items through stages of worker threads.
 *
 *   pass       N items that nothing is done with go through three stages of two workers, 2048 of which may wait for
 * each usual      the same with the usual queues ordered    the same, in order pull       the same without threads, by
 * leat_pull_next sha256     N bytes as items of 64 KiB through one stage of two workers, which takes their SHA-256
 *   libcrypto  the same by two threads that have a half each, libcrypto alone
 *
 * Items are counted at the end, and digests are added up. */
#include "tool.h"
#include <leat/stages.h>
#include <openssl/evp.h>
#include <pthread.h>

#define STEPS 3
#define LONG  2048
#define BLOCK (64u << 10)

static uint64_t wanted, given, got;
static unsigned char *blocks; /* of which an item is one */
static unsigned sums[2];

static void must(int code, const char *what)
{
    if (code == 0)
        return;
    errno = -code;
    tool_fail(what);
}

static int next(void *user, void **ret)
{
    (void)user;
    if (given == wanted)
        return LEAT_STAGES_END;
    *ret = blocks + given++ % 64 * BLOCK;
    return 0;
}

static int count(void *user, void *item)
{
    (void)user, (void)item;
    got++;
    return 0;
}

static int pass(leat_work *work, void *item, void *user)
{
    (void)user;
    leat_work_emit(work, item, -1);
    return LEAT_STAGE_DONE;
}

static unsigned hash(EVP_MD_CTX *context, const void *bytes)
{
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned n;
    if (!EVP_DigestInit_ex(context, EVP_sha256(), NULL) || !EVP_DigestUpdate(context, bytes, BLOCK) ||
        !EVP_DigestFinal_ex(context, value, &n))
        tool_fail("libcrypto");
    return value[0];
}

static int open_context(void *user, void **ret)
{
    (void)user;
    *ret = EVP_MD_CTX_new();
    return *ret ? 0 : -ENOMEM;
}

static void close_context(void *user, void *state)
{
    (void)user;
    EVP_MD_CTX_free(state);
}

static int hash_item(leat_work *work, void *item, void *user)
{
    (void)user;
    (void)hash(leat_work_state(work), item);
    leat_work_emit(work, item, -1);
    return LEAT_STAGE_DONE;
}

static void through_stages(leat_stage_fn function, int steps, int ordered, uint32_t queue)
{
    leat_stages *stages;
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    options.queue = queue;
    must(leat_stages_new(&stages, &options, NULL), "leat_stages_new");
    for (int i = 0; i < steps; i++) {
        struct leat_stage stage = LEAT_INIT(struct leat_stage);
        stage.name = "step";
        stage.function = function;
        stage.workers = 2;
        stage.ordered = ordered;
        stage.queue = queue;
        stage.worker_open = function == hash_item ? open_context : NULL;
        stage.worker_close = function == hash_item ? close_context : NULL;
        must(leat_stages_add(stages, &stage, NULL), "leat_stages_add");
    }
    must(leat_stages_run(stages, next, NULL, count, NULL, NULL), "leat_stages_run");
    leat_stages_free(stages);
}

static void by_pass(void)
{
    through_stages(pass, STEPS, 0, LONG);
}

static void by_usual(void)
{
    through_stages(pass, STEPS, 0, 0);
}

static void by_ordered(void)
{
    through_stages(pass, STEPS, 1, LONG);
}

static void by_pull(void)
{
    leat_pull *pull;
    void *item;
    int r;
    must(leat_pull_new(&pull, next, NULL), "leat_pull_new");
    for (int i = 0; i < STEPS; i++) {
        struct leat_stage stage = LEAT_INIT(struct leat_stage);
        stage.name = "step";
        stage.function = pass;
        must(leat_pull_add(pull, &stage, NULL), "leat_pull_add");
    }
    while ((r = leat_pull_next(pull, &item)) == 0)
        got++;
    leat_pull_free(pull);
}

static void by_sha256(void)
{
    wanted /= BLOCK;
    through_stages(hash_item, 1, 0, 0);
}

static void *half(void *user)
{
    unsigned *sum = user;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    for (uint64_t i = (uint64_t)(sum - sums); i < wanted; i += 2)
        *sum += hash(context, blocks + i % 64 * BLOCK);
    EVP_MD_CTX_free(context);
    return NULL;
}

static void by_libcrypto(void)
{
    pthread_t thread[2];
    wanted /= BLOCK;
    for (int i = 0; i < 2; i++)
        must(-pthread_create(&thread[i], NULL, half, &sums[i]), "pthread_create");
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    got = wanted;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {
        {"pass", by_pass}, {"usual", by_usual},   {"ordered", by_ordered},
        {"pull", by_pull}, {"sha256", by_sha256}, {"libcrypto", by_libcrypto},
    };
    for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].name) != 0)
            continue;
        wanted = tool_number(argv[2]);
        blocks = tool_buffer(64 * BLOCK);
        ways[i].run();
        printf("%llu items, %u\n", (unsigned long long)got, sums[0] + sums[1]);
        return got == wanted ? 0 : 1;
    }
    tool_usage("stages pass|usual|ordered|pull|sha256|libcrypto N");
}
