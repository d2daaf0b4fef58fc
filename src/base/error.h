/* Filling a struct leat_error. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/base.h"
#include <leat/base.h>

/* Sets code and text (a printf format) and returns the code. `error` may be NULL. The first failure is the one that
 * counts: an error that has a code already is left as it is. */
int error_set(struct leat_error *error, int code, const char *format, ...) PRINTF(3, 4);

/* The same with its place: which side and node, and which operation. The strings are borrowed. */
int error_at(struct leat_error *error, int code, enum leat_side side, const char *node, const char *operation,
             const char *format, ...) PRINTF(6, 7);

/* Hands on a failure that was noted earlier, and returns its code: 0 if there is none. `error` keeps its index and
 * offset, which only the runner knows. */
int error_hand_on(struct leat_error *error, const struct leat_error *failure);

/* Notes what the caller can do about the failure that the next error_set or error_at tells. Call it right before that
 * one: as there, an error that has a code already is left as it is. `error` may be NULL. The text of the failure does
 * not repeat the advice and names no option of a command. */
void error_advise(struct leat_error *error, enum leat_advice advice);

/* Adds "; 'NAME': NOTE" to the text, whole: NAME is cut to 30 bytes, and the sentence in front of the notes as far as
 * there is no room. */
void error_note(struct leat_error *error, const char *name, const char *note);

/* What a function of the caller's answered: 0 and negative errnos as they are; any other number is -EPROTO. */
int error_of_answer(int answer);

/* A call that takes a `ret_error` begins with this and ends with error_return, so that the caller's struct tells of
 * this call alone. `ret_error` (may be NULL) is reset. -EINVAL: its size can't be. */
int error_begin(struct leat_error *ret_error);

/* Hands `error` over and returns `r`, the call's own result. A failure that has no sentence yet gets that of its errno
 * value; of a success the caller's struct stays as error_begin left it. */
int error_return(struct leat_error *ret_error, const struct leat_error *error, int r);

/* "No space left on device", thread-safe, of either sign. */
const char *error_text(int code, char *buffer, size_t size);

#endif
