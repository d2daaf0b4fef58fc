/* SPDX-License-Identifier: MIT */
/* Writes to a child process through a real pipe: pipe_child COMMAND [ARGUMENT...]. The child gets a thousand numbers on
 * its standard input; filters count and hash them. The exit code is 1 if the child left early or failed. */
#include <errno.h>
#include <fcntl.h>
#include <leat/leat.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child reads from the pipe's own descriptor. The parent then closes its copy: as long as it had one, the writer
 * would not notice the death of the child. */
static int start(leat_reader *reader, char **command, pid_t *ret)
{
    int fd;
    int r = leat_reader_fd(reader, &fd);
    if (r < 0)
        return r;
    pid_t child = fork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        /* Programs expect a blocking standard input. */
        if (dup2(fd, STDIN_FILENO) == STDIN_FILENO && fcntl(fd, F_SETFL, 0) == 0)
            execvp(command[0], command); /* all other descriptors of leat are close-on-exec */
        _exit(127);
    }
    *ret = child;
    return 0;
}

static int feed(leat_writer *writer)
{
    char line[32];
    int r = 0;
    for (int i = 0; i < 1000 && r == 0; i++) {
        int n = snprintf(line, sizeof(line), "%d\n", i);
        r = leat_writer_write(writer, line, (size_t)n, NULL, -1);
    }
    return r < 0 ? r : leat_writer_finish(writer, -1);
}

int main(int argc, char **argv)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_filter *digest;
    leat_writer *writer;
    leat_reader *reader;
    char hex[LEAT_DIGEST_HEX_MAX];
    pid_t child = -1;
    int status = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: pipe_child COMMAND [ARGUMENT...]\n");
        return 2;
    }
    int r = leat_filter_digest(&digest, "sha256", NULL, NULL);
    if (r < 0) {
        fprintf(stderr, "pipe_child: %s\n", strerror(-r));
        return 1;
    }
    leat_filter_ref(digest);
    options.backend = LEAT_PIPE_KERNEL;
    options.filters = &digest;
    options.filter_count = 1;
    r = leat_pipe_open(&writer, &reader, &options, NULL);
    if (r == 0) {
        r = start(reader, argv + 1, &child);
        leat_reader_close(reader);
        if (r == 0)
            r = feed(writer); /* if the child has gone: -EPIPE, and no signal */
        leat_writer_close(writer);
    }
    if (child > 0 && waitpid(child, &status, 0) < 0)
        r = -errno;
    if (r == 0 && leat_filter_digest_hex(digest, "sha256", hex, sizeof(hex)) == 0)
        printf("sha256 %s\n", hex);
    leat_filter_free(digest);
    if (r < 0)
        fprintf(stderr, "pipe_child: %s\n", r == -EPIPE ? "the child did not read to the end" : strerror(-r));
    return r < 0 || status != 0;
}
