/* What standard output, standard error and the file of a report are, compared with what a pipeline reads and writes.
 * The library is asked whether it is the same file, device or pipe; names are never compared. */
#ifndef CLI_PLACES_H
#define CLI_PLACES_H

#include "options.h"

/* Is a source (`direction` LEAT_READ) or a sink the same as standard output or error? /dev/null is no place. */
bool places_is_stdout(const char *spec);
bool places_is_stderr(const char *spec);

/* Of a pipeline's sinks. */
bool places_sink_is_stdout(const leat_pipeline *pipeline);

/* Refuses a report that would be written over the source or a sink, or into a stream of data. `spec` has the source,
 * then the sinks. 0, or an exit code that has been explained. */
int places_check_specs(const struct copy_options *options, const char *command, size_t count, char *const spec[]);
/* The same for a pipeline; besides, digests (if `digests`) and progress must not go into data. */
int places_check(const struct copy_options *options, const char *command, const leat_pipeline *pipeline, bool digests);
/* The same for a text that is no pipeline: none of its words may be the file of the report. */
int places_check_text(const struct copy_options *options, const char *command, const char *text);

/* Where digests are printed: standard output, unless that is a sink; then standard error. NULL: both are sinks. */
FILE *places_of_digests(const leat_pipeline *pipeline);

/* Opens the file of a report without changing what is in it. 0, or an exit code that has been explained. */
int places_open_report(struct copy_options *options);
/* Writes it, to standard error if there is no file. The same. */
int places_write_report(struct copy_options *options, const char *text);

#endif
