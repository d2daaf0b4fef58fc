/* SPDX-License-Identifier: MIT */
/* The memory account of a pipeline, which pays for chunks and pipe pages. Any thread may call these functions. */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include "base/base.h"
#include <stdatomic.h>
#include <stdbool.h>

struct budget {
    uint64_t limit;
    _Atomic uint64_t used;
    _Atomic uint64_t peak;
};

void budget_init(struct budget *budget, uint64_t limit);
/* Takes `bytes` from the budget. Returns false, and takes nothing, if that would exceed the limit. */
bool budget_take(struct budget *budget, uint64_t bytes);
/* Gives `bytes` back that budget_take took. */
void budget_give(struct budget *budget, uint64_t bytes);
/* Returns how many bytes are left; other threads may take them at any time. */
uint64_t budget_left(struct budget *budget);

#endif
