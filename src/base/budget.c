/* SPDX-License-Identifier: MIT */
#include "base/budget.h"

void budget_init(struct budget *budget, uint64_t limit)
{
    budget->limit = limit;
    atomic_init(&budget->used, 0);
    atomic_init(&budget->peak, 0);
}

bool budget_take(struct budget *budget, uint64_t bytes)
{
    uint64_t used = atomic_load(&budget->used);
    do
        if (bytes > budget->limit - used)
            return false;
    while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
    uint64_t peak = atomic_load(&budget->peak);
    while (peak < used + bytes && !atomic_compare_exchange_weak(&budget->peak, &peak, used + bytes))
        ;
    return true;
}

void budget_give(struct budget *budget, uint64_t bytes)
{
    atomic_fetch_sub(&budget->used, bytes);
}

uint64_t budget_left(struct budget *budget)
{
    return budget->limit - atomic_load(&budget->used);
}
