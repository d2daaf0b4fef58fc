/* SPDX-License-Identifier: MIT */
/** @file leat/trace.h
 * What the library does and decides, told to one function of the program while it happens.
 *
 *     static void print(void *user, const struct leat_trace_record *record)
 *     {
 *         fprintf(user, "%s: %s\n", leat_trace_name(record->category), record->sentence);
 *     }
 *     leat_trace_set(print, stderr);
 *
 * No function is set at first. Then a place that could tell something costs one relaxed atomic load.
 *
 * Records are for people and for logs. Later versions may have more categories, other sentences and other fields. A
 * record has no password, no token and no query of a URL. It may have names of files, hosts and objects, and the
 * command line of a child.
 *
 * The function
 * ------------
 *   - The library calls it on the thread on which the thing happens: a thread of the program, or a thread of leat (see
 *     leat_thread_hooks). Several threads may call it at the same time.
 *   - The library holds no lock while it calls the function, so the function may call the library. While the function
 *     runs, its thread makes no further records.
 *   - The work of the thread stands still until the function returns. So the function is quick, and does not wait for a
 *     transfer to end: the thread may be the one that moves the bytes or makes the requests of that transfer. To do
 *     more, the function hands the record to a thread of the program.
 *
 * Threads: any thread may call the functions of this header.
 */
#ifndef LEAT_TRACE_H
#define LEAT_TRACE_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a record is about. */
enum leat_trace_category {
    LEAT_TRACE_ENGINE = 0,  /**< A pipeline has chosen its engine. */
    LEAT_TRACE_HOP = 1,     /**< A hop begins to move bytes, or is done with them. */
    LEAT_TRACE_ROUTE = 2,   /**< A hop takes a route, or gives it up and says why. */
    LEAT_TRACE_SINK = 3,    /**< A sink is complete: a file has its name, an object is in its store. */
    LEAT_TRACE_STORE = 4,   /**< A request to a store was sent or answered, or is repeated. */
    LEAT_TRACE_CHILD = 5,   /**< A child was started, or has ended. */
    LEAT_TRACE_CHANNEL = 6, /**< A peer of a channel has crashed. */
};

/**
 * One value of a record: a text, or a number.
 *
 * The layout is fixed.
 */
struct leat_trace_field {
    const char *name; /**< Such as "route" or "bytes". Static. */
    const char *text; /**< NULL: the value is `number`. A text may have any byte; leat_text_quote makes it printable. */
    uint64_t number;
};

/**
 * One thing that happened. All that it points to is valid during the call only.
 *
 * Later versions may have more members, at the end.
 */
struct leat_trace_record {
    int32_t category;                     /**< An enum leat_trace_category. */
    uint32_t fields;                      /**< How many fields there are. */
    const struct leat_trace_field *field; /**< The fields. */
    const char *sentence;                 /**< For people: one line without control characters. */
};

/**
 * Takes a record.
 *
 * @param user  What was given to leat_trace_set.
 */
typedef void (*leat_trace_fn)(void *user, const struct leat_trace_record *record);

/**
 * Sets the function that gets the records of the process, in place of an earlier one.
 *
 * After the call, no thread is in the earlier function or will call it. So what its `user` points to may be freed.
 * There are two exceptions: a call from within a trace function does not wait, and in a child of fork(2) there is no
 * wait for a function that was set before the fork.
 *
 * @param trace  NULL: no function; the library is silent again.
 * @param user   Handed to the function. Borrowed, until another function is set.
 *
 * Blocking: waits until each call of the earlier function has returned. The caller holds no lock that this function may
 * wait for.
 *
 * @return 0; -ENOMEM: the earlier function is still set.
 */
LEAT_API int leat_trace_set(leat_trace_fn trace, void *user);

/**
 * Gives the name of a category, such as "route".
 *
 * @param category  An enum leat_trace_category.
 *
 * @return A static string; NULL if this version has no such category. Categories are counted from 0, without gaps.
 */
LEAT_API const char *leat_trace_name(int32_t category);

#ifdef __cplusplus
}
#endif
#endif
