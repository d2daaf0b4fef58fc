/* SPDX-License-Identifier: MIT */
/* What a task does when an op of it has completed. */
#include "engine/engine.h"

void task_done(struct task *task, ssize_t result)
{
    struct op *op = task->op;
    task->op = NULL;
    task->state = TASK_READY;
    task->done(task, op, result);
}

void task_done_async(struct task *task, struct op *op, ssize_t result)
{
    task->out--;
    if (task->state == TASK_WAITING)
        task->state = TASK_READY;
    task->done(task, op, result);
}
