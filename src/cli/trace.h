/* --trace of copy and run: each record of the library is one line on standard error. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "options.h"

/* From here on the library's records are printed. Returns 0, or an exit code, which has been explained. */
int trace_begin(enum trace_mode mode);

#endif
