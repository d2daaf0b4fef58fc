/* One account of memory for a pipeline: chunks and pipe pages are both paid from it. Any thread. */
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
/* False, and nothing taken, if it would pass the limit. */
bool budget_take(struct budget *budget, uint64_t bytes);
void budget_give(struct budget *budget, uint64_t bytes);
uint64_t budget_left(struct budget *budget);

#endif
