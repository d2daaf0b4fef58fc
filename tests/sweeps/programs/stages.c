/* SPDX-License-Identifier: MIT */
/* leat/stages.h. Items are records; every one is freed. */
#include "../swept.h"

#define ITEMS 40

static int next(void *user, void **ret)
{
    int *n = user;
    if (*n == ITEMS)
        return LEAT_STAGES_END;
    int r = leat_record_new((struct leat_record **)ret, "item", 4);
    *n += r == 0;
    return r;
}

static int pass(leat_work *work, void *item, void *user)
{
    (void)user;
    return leat_work_emit(work, item, -1);
}

static int count(void *user, void *item)
{
    leat_record_free(item);
    ++*(int *)user;
    return 0;
}

static int count_groups(void *user, void *item)
{
    struct leat_group *group = item;
    *(int *)user += (int)group->count;
    for (size_t i = 0; i < group->count; i++)
        leat_record_free(group->items[i]);
    leat_group_free(group);
    return 0;
}

static void dispose_group(void *user, void *item)
{
    int n = 0;
    (void)user;
    count_groups(&n, item);
}

static struct leat_stage stage(const char *name, leat_stage_fn function)
{
    struct leat_stage s = LEAT_INIT(struct leat_stage);
    s.name = name;
    s.function = function;
    s.dispose = leat_record_dispose;
    s.workers = function ? 2 : 1;
    s.ordered = 1;
    s.group_count = function ? 0 : 7;
    return s;
}

static void use_run(void)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_stage plain = stage("pass", pass), group = stage("group", NULL);
    leat_stages *stages = NULL;
    int made = 0, counted = 0;
    char *text = NULL;
    options.dispose = dispose_group;
    TRY(leat_stages_new(&stages, &options, NULL));
    TRY(leat_stages_add(stages, &plain, NULL));
    TRY(leat_stages_add(stages, &group, NULL));
    TRY(leat_stages_run(stages, next, &made, count_groups, &counted, &error));
    EXPECT(counted == ITEMS);
    TRY(leat_stages_explain(stages, LEAT_FORMAT_JSON, &text));
    leat_free(text);
    text = NULL;
    TRY(leat_stages_explain(stages, LEAT_FORMAT_TEXT, &text));
done:
    leat_free(text);
    leat_stages_free(stages);
}

static void use_hand(void)
{
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct leat_stage plain = stage("pass", pass);
    leat_stages *stages = NULL;
    struct leat_record *record = NULL;
    void *taken = NULL;
    options.dispose = leat_record_dispose;
    TRY(leat_stages_new(&stages, &options, NULL));
    TRY(leat_stages_add(stages, &plain, NULL));
    TRY(leat_stages_start(stages));
    for (int i = 0; i < 3; i++) {
        TRY(leat_record_new(&record, "put", 3));
        TRY(leat_stages_put(stages, record, -1));
        record = NULL;
        TRY(leat_stages_take(stages, &taken, -1));
        leat_record_free(taken);
        taken = NULL;
    }
    TRY(leat_stages_finish(stages));
    EXPECT(leat_stages_take(stages, &taken, -1) == LEAT_STAGES_END);
    TRY(leat_stages_wait(stages, -1, &error));
done:
    leat_record_free(record);
    leat_stages_free(stages);
}

static void use_pull(void)
{
    struct leat_stage plain = stage("pass", pass);
    leat_pull *pull = NULL;
    void *item = NULL;
    int made = 0, counted = 0, r = 0;
    TRY(leat_pull_new(&pull, next, &made));
    TRY(leat_pull_add(pull, &plain, NULL));
    while (r == 0) {
        TRY(r = leat_pull_next(pull, &item));
        if (r == 0)
            count(&counted, item);
    }
    EXPECT(counted == ITEMS);
done:
    leat_pull_free(pull);
}

int main(void)
{
    use_run();
    if (swept_result == 0)
        use_hand();
    if (swept_result == 0)
        use_pull();
    return swept_result;
}
