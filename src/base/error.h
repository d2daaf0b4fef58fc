/* SPDX-License-Identifier: MIT */
/* Functions that fill a struct leat_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"
#include <leat/base.h>

/* Sets code and text (a printf format) and returns the code. `error` may be NULL. If the error already has a code, it
 * is left unchanged, because the first failure counts. */
int error_set(struct leat_error *error, int code, const char *format, ...) PRINTF(3, 4);

/* Same as error_set, and also sets the side, node and operation of the failure. The strings are copied. */
int error_at(struct leat_error *error, int code, enum leat_side side, const char *node, const char *operation,
             const char *format, ...) PRINTF(6, 7);

/* Set the node or the operation to a copy of the string. A longer one is shortened as <leat/base.h> says. NULL is "".
 * `error` may be NULL. */
void error_node(struct leat_error *error, const char *node);
/* Sets the node to what may be shown of a spec that a program has given: no login, no query. NULL is "". */
void error_spec(struct leat_error *error, const char *spec);
void error_operation(struct leat_error *error, const char *operation);

/* Sets the node and the operation, each only if it is still "". */
void error_complete(struct leat_error *error, const char *node, const char *operation);

/* Copies a failure that was recorded earlier to `error`, and returns its code: 0 if there was none. `error` keeps its
 * index and offset, because only the runner knows them. */
int error_hand_on(struct leat_error *error, const struct leat_error *failure);

/* Sets the advice for the failure that the next error_set or error_at reports. Call it right before that call: it also
 * leaves an error unchanged that already has a code. `error` may be NULL. The text of the failure does not repeat the
 * advice, and names no option of a command. */
void error_advise(struct leat_error *error, enum leat_advice advice);

/* Sets the index and the offset of the failure that the next error_set or error_at reports. Call it right before that
 * call: it also leaves an error unchanged that already has a code. */
void error_place(struct leat_error *error, size_t index, uint64_t offset);

/* Adds "; 'NAME': NOTE" to the text. The note is never cut: NAME is cut to 30 bytes, and if there is not enough room,
 * so is the sentence in front of the notes. */
void error_note(struct leat_error *error, const char *name, const char *note);

/* Checks the answer of a function of the caller. Returns 0 and negative errnos unchanged, and -EPROTO for any other
 * number. */
int error_of_answer(int answer);

/* Resets `ret_error`, which may be NULL. Each public call with a `ret_error` starts with this function and ends with
 * error_return, so that the caller's struct describes this call alone. Returns 0, or -EINVAL if the size of the struct
 * is impossible. */
int error_begin(struct leat_error *ret_error);

/* If `r`, the result of the call, is not 0, copies `error` to `ret_error`, which may be NULL. If `error` has no
 * sentence yet, it gets the one of the errno value. On success the caller's struct stays as error_begin left it.
 * Returns `r`. */
int error_return(struct leat_error *ret_error, const struct leat_error *error, int r);

/* Writes the sentence of an errno value, such as "No space left on device", to `buffer`, and returns `buffer`. `code`
 * may be positive or negative. Thread-safe. */
const char *error_text(int code, char *buffer, size_t size);

#endif
