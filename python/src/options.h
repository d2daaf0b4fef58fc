/* SPDX-License-Identifier: MIT */
/* Options of leat as keyword arguments: tables say which name is which member of which struct. */
#ifndef LEAT_PYTHON_OPTIONS_H
#define LEAT_PYTHON_OPTIONS_H

#include "abi.h"
#include <leat/endpoint.h>
#include <leat/pipeline.h>

enum option_kind {
    OPTION_FLAG, /* int32_t: a truth value */
    OPTION_INT,  /* int32_t or, with `wide`, int64_t: a number */
    OPTION_SIZE, /* uint64_t: a number, or a text such as "64K" */
    OPTION_TIME, /* int32_t: milliseconds of seconds, or of a text such as "5s" */
    OPTION_TEXT, /* const char * */
    OPTION_WORD, /* int32_t: an enum, by the place of a word in `words` */
};

struct option {
    const char *name; /* NULL behind the last one */
    enum option_kind kind;
    size_t offset;
    const char *const *words;
    size_t given; /* 0, or the offset of an int32_t that says that the option is given */
};

extern const struct option endpoint_options_table[];
extern const struct option pipeline_options_table[];
extern const struct option sink_options_table[];

/* Moves what the table names from the dict to the struct. Texts stay alive in `keep`, a list. Options that are None are
 * as if they were not there. 0, or -1 with an exception. */
int options_take(PyObject *dict, const struct option *table, void *target, PyObject *keep);

/* What is left in the dict is unknown: -1 with an exception that names it. */
int options_end(PyObject *dict);

#endif
