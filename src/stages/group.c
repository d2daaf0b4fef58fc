/* SPDX-License-Identifier: MIT */
#include "base/thread.h"
#include "stages/stages.h"
#include <errno.h>

#define GROUP_COUNT 1024

static uint32_t most(const struct stage *stage)
{
    return stage->with.group_count ? stage->with.group_count : GROUP_COUNT;
}

int group_flush(struct worker *w)
{
    struct leat_group *group = w->group;
    w->group = NULL;
    return group ? w->work.emit(&w->work, group, NO_DEADLINE) : 0;
}

/* If the group would have too many bytes with this item, it is emitted without it first. */
int group_add(struct worker *w, struct stage_item item)
{
    const struct leat_stage *with = &w->stage->with;
    size_t bytes = stage_size_of(w->stage, item.item);
    if (w->group && with->group_bytes && w->group->bytes + bytes > with->group_bytes)
        group_flush(w);
    if (!w->group) {
        w->group = malloc(sizeof(*w->group) + most(w->stage) * sizeof(void *));
        if (!w->group)
            return -ENOMEM;
        *w->group = (struct leat_group){.items = (void **)(w->group + 1)};
        w->group_deadline_ns = with->group_ms > 0 ? clock_ns() + (int64_t)with->group_ms * 1000000 : NO_DEADLINE;
    }
    w->group->items[w->group->count++] = item.item;
    w->group->bytes += bytes;
    if (w->group->count == most(w->stage) || (with->group_bytes && w->group->bytes >= with->group_bytes))
        group_flush(w);
    return 0;
}

void group_drop(struct worker *w)
{
    for (size_t i = 0; w->group && i < w->group->count; i++)
        stage_dispose(w->stage, w->group->items[i]);
    leat_group_free(w->group);
    w->group = NULL;
}

void leat_group_free(struct leat_group *group)
{
    free(group);
}
