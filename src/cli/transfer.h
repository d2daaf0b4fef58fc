/* What copy and run do with a pipeline once it is built: run it, or explain it, and tell what happened. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include "options.h"

/* The digests of --digest, behind the filters that are there. 0, or an exit code that has been explained. */
int transfer_add_digest(leat_pipeline *pipeline, const struct copy_options *options, const char *command);

/* It could not be built: says so, unless that was told already. Programs that want a report get one all the same.
 * EXIT_FAILED. */
int transfer_refuse(struct copy_options *options, const struct leat_error *error, bool told);

/* Checks it; then explains it if that is what the options ask for, else runs it, prints its digests (if `digests`) and
 * its report. Takes the pipeline. The exit code, unless it dies of a signal that came meanwhile. */
int transfer_run(leat_pipeline *pipeline, struct copy_options *options, const char *command, bool digests);

#endif
