/* SPDX-License-Identifier: MIT */
/* The common part of copy and run after the pipeline is built: run or explain it, and print the results. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include "options.h"

/* Adds the digests of --digest behind the filters that the pipeline has. Returns 0, or an exit code after a message. */
int transfer_add_digest(leat_pipeline *pipeline, const struct copy_options *options, const char *command);

/* Ends the command when the pipeline could not be built. Prints the error unless `told` is true. Writes the report if
 * one was asked for. Returns EXIT_FAILED. */
int transfer_refuse(struct copy_options *options, const struct leat_error *error, bool told);

/* Checks the pipeline. If the options ask for an explanation, prints it; else runs the pipeline and prints its digests
 * (if `digests`) and its report. Takes the pipeline. Returns the exit code, unless a signal came meanwhile: then the
 * process dies of that signal. */
int transfer_run(leat_pipeline *pipeline, struct copy_options *options, const char *command, bool digests);

#endif
