/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "args.h"
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define ENDPOINT(member) offsetof(struct leat_endpoint_options, member)
#define PIPELINE(member) offsetof(struct leat_pipeline_options, member)
#define SINK(member)     offsetof(struct leat_sink_options, member)

static const char *const write_modes[] = {"publish", "in-place", "append", NULL};
static const char *const stabilities[] = {"live", "stable", NULL};
static const char *const sparse_words[] = {"auto", "always", "never", NULL};
static const char *const caches[] = {"keep", "drop", "direct", NULL};
static const char *const providers[] = {"auto", "user", "kernel", NULL};
static const char *const slow_words[] = {"wait", "drop", "spill", NULL};

const struct option endpoint_options_table[] = {
    {"mode", OPTION_WORD, ENDPOINT(write_mode), write_modes, 0},
    {"sync", OPTION_FLAG, ENDPOINT(sync), NULL, 0},
    {"preserve", OPTION_FLAG, ENDPOINT(preserve), NULL, 0},
    {"no_clobber", OPTION_FLAG, ENDPOINT(no_clobber), NULL, 0},
    {"force", OPTION_FLAG, ENDPOINT(force), NULL, 0},
    {"drop_attributes", OPTION_FLAG, ENDPOINT(drop_attributes), NULL, 0},
    {"connect_timeout", OPTION_TIME, ENDPOINT(connect_timeout_ms), NULL, 0},
    {"idle_timeout", OPTION_TIME, ENDPOINT(idle_timeout_ms), NULL, 0},
    {"total_timeout", OPTION_TIME, ENDPOINT(total_timeout_ms), NULL, 0},
    {"retries", OPTION_INT, ENDPOINT(retries), NULL, 0},
    {"streams", OPTION_INT, ENDPOINT(streams), NULL, 0},
    {"part_size", OPTION_SIZE, ENDPOINT(part_size), NULL, 0},
    {"cacert", OPTION_TEXT, ENDPOINT(cacert), NULL, 0},
    {"cert", OPTION_TEXT, ENDPOINT(cert), NULL, 0},
    {"key", OPTION_TEXT, ENDPOINT(key), NULL, 0},
    {"netrc", OPTION_FLAG, ENDPOINT(netrc), NULL, 0},
    {"netrc_file", OPTION_TEXT, ENDPOINT(netrc_file), NULL, 0},
    {"resume", OPTION_TEXT, ENDPOINT(resume), NULL, 0},
    {"checksum", OPTION_TEXT, ENDPOINT(checksum), NULL, 0},
    {0},
};

const struct option pipeline_options_table[] = {
    {"memory_limit", OPTION_SIZE, PIPELINE(memory_limit), NULL, 0},
    {"rate", OPTION_SIZE, PIPELINE(rate), NULL, 0},
    {"offset", OPTION_SIZE, PIPELINE(offset), NULL, 0},
    {"length", OPTION_SIZE, PIPELINE(length), NULL, PIPELINE(has_length)},
    {"stability", OPTION_WORD, PIPELINE(stability), stabilities, 0},
    {"sparse", OPTION_WORD, PIPELINE(sparse), sparse_words, 0},
    {"threads", OPTION_INT, PIPELINE(threads), NULL, 0},
    {"route", OPTION_TEXT, PIPELINE(route), NULL, 0},
    {"engine", OPTION_TEXT, PIPELINE(engine), NULL, 0},
    {"expect", OPTION_TEXT, PIPELINE(expect), NULL, 0},
    {"digest_provider", OPTION_WORD, PIPELINE(digest_provider), providers, 0},
    {"cache", OPTION_WORD, PIPELINE(cache), caches, 0},
    {"buffer", OPTION_TEXT, PIPELINE(buffer), NULL, 0},
    {"no_learn", OPTION_FLAG, PIPELINE(no_learn), NULL, 0},
    {0},
};

const struct option sink_options_table[] = {
    {"slow", OPTION_WORD, SINK(slow), slow_words, 0},
    {"spill", OPTION_SIZE, SINK(spill), NULL, 0},
    {"spill_folder", OPTION_TEXT, SINK(spill_folder), NULL, 0},
    {0},
};

static int take_word(const struct option *option, PyObject *value, int32_t *member)
{
    int i;

    for (i = 0; PyUnicode_Check(value) && option->words[i]; i++)
        if (PyUnicode_CompareWithASCIIString(value, option->words[i]) == 0) {
            *member = i;
            return 0;
        }
    PyErr_Format(PyExc_ValueError, "%s=%R: it is one of '%s', '%s'%s%s%s", option->name, value, option->words[0],
                 option->words[1], option->words[2] ? ", '" : "", option->words[2] ? option->words[2] : "",
                 option->words[2] ? "'" : "");
    return -1;
}

static int take_time(PyObject *value, int32_t *member)
{
    if (PyUnicode_Check(value)) {
        PyObject *text = PyUnicode_AsUTF8String(value);
        int r;

        if (!text)
            return -1;
        r = leat_time_parse(PyBytes_AsString(text), member);
        Py_DECREF(text);
        if (r < 0)
            PyErr_Format(PyExc_ValueError, "'%U' is no time, such as 5, '500ms' or '2m'", value);
        return r < 0 ? -1 : 0;
    }
    return args_timeout(value, member);
}

static int take_int(const struct option *option, PyObject *value, int32_t *member)
{
    long number = PyLong_AsLong(value);

    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < INT32_MIN || number > INT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s=%R is out of range", option->name, value);
        return -1;
    }
    *member = (int32_t)number;
    return 0;
}

static int take_text(PyObject *value, const char **member, PyObject *keep)
{
    PyObject *text = args_encode(value);

    if (!text)
        return -1;
    *member = PyBytes_AsString(text);
    if (PyList_Append(keep, text) < 0) {
        Py_DECREF(text);
        return -1;
    }
    Py_DECREF(text);
    return 0;
}

static int take_flag(PyObject *value, int32_t *member)
{
    bool flag = false;

    if (args_flag(value, &flag) < 0)
        return -1;
    *member = flag;
    return 0;
}

static int take(const struct option *option, PyObject *value, char *target, PyObject *keep)
{
    void *member = target + option->offset;
    int r = -1;

    switch (option->kind) {
    case OPTION_FLAG:
        r = take_flag(value, member);
        break;
    case OPTION_INT:
        r = take_int(option, value, member);
        break;
    case OPTION_SIZE:
        r = args_size(value, member);
        break;
    case OPTION_TIME:
        r = take_time(value, member);
        break;
    case OPTION_TEXT:
        r = take_text(value, member, keep);
        break;
    case OPTION_WORD:
        r = take_word(option, value, member);
        break;
    }
    if (r == 0 && option->given)
        *(int32_t *)(void *)(target + option->given) = 1;
    return r;
}

int options_take(PyObject *dict, const struct option *table, void *target, PyObject *keep)
{
    const struct option *option;
    PyObject *value;

    for (option = table; option->name; option++) {
        if (!(value = PyDict_GetItemString(dict, option->name)))
            continue;
        if (value != Py_None && take(option, value, target, keep) < 0)
            return -1;
        if (PyDict_DelItemString(dict, option->name) < 0)
            return -1;
    }
    return 0;
}

int options_end(PyObject *dict)
{
    Py_ssize_t at = 0;
    PyObject *name, *value;

    if (!PyDict_Next(dict, &at, &name, &value))
        return 0;
    PyErr_Format(PyExc_TypeError, "there is no option %R", name);
    return -1;
}
