/* SPDX-License-Identifier: MIT */
/* Compares standard output, standard error and the file of a report with the sources and sinks of a pipeline. The
 * library decides whether two of them are the same file, device or pipe; names are never compared. */
#ifndef CLI_PLACES_H
#define CLI_PLACES_H

#include "options.h"

/* Is the endpoint that `spec` names the same as standard output or standard error? /dev/null is never the same. */
bool places_is_stdout(const char *spec);
bool places_is_stderr(const char *spec);

/* Is the file that the command writes besides, such as a report, the endpoint that `other` names? The name "-" is
 * standard output. */
bool places_is_file(const char *file, const char *other, enum leat_direction direction);

/* Is one of the pipeline's sinks the same as standard output? */
bool places_sink_is_stdout(const leat_pipeline *pipeline);

/* Refuses a report that would be written over the source or a sink, or into a stream of data. spec[0] is the source,
 * the others are the sinks. Returns 0, or an exit code after a message. */
int places_check_specs(const struct copy_options *options, const char *command, size_t count, char *const spec[]);
/* Does the same for a pipeline. It also refuses digests (if `digests`) and progress that would go into a stream of
 * data. */
int places_check(const struct copy_options *options, const char *command, const leat_pipeline *pipeline, bool digests);
/* Does the same for a text that can't be parsed as a pipeline: none of its words may name the file of the report. */
int places_check_text(const struct copy_options *options, const char *command, const char *text);

/* Returns the stream for digests: standard output, or standard error if standard output is a sink. NULL: both are
 * sinks. */
FILE *places_of_digests(const leat_pipeline *pipeline);

/* Opens the file of a report without changing its content. Returns 0, or an exit code after a message. */
int places_open_report(struct copy_options *options);
/* Writes the report to its file, or to standard error if there is no file. Returns 0, or an exit code after a message.
 */
int places_write_report(struct copy_options *options, const char *text);

#endif
