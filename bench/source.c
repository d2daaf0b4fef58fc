/* source write|vmsplice SIZE: fills the pipe on standard output with SIZE bytes that don't compress. `vmsplice` hands
 * over the pages themselves, so that the source costs next to nothing; they are never written to again. */
#include "tool.h"
#include <fcntl.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK (1024 * 1024)

int main(int argc, char **argv)
{
    if (argc != 3)
        tool_usage("source write|vmsplice SIZE");
    bool give = strcmp(argv[1], "vmsplice") == 0;
    uint64_t left = tool_number(argv[2]);
    uint64_t *words = tool_buffer(BLOCK), random = 88172645463325252U;
    for (size_t i = 0; i < BLOCK / sizeof(*words); i++) {
        random ^= random << 13; /* xorshift */
        random ^= random >> 7;
        random ^= random << 17;
        words[i] = random;
    }
    size_t at = 0;
    while (left > 0) {
        struct iovec part = {(char *)words + at, BLOCK - at < left ? BLOCK - at : (size_t)left};
        ssize_t n = give ? vmsplice(STDOUT_FILENO, &part, 1, 0) : write(STDOUT_FILENO, part.iov_base, part.iov_len);
        if (n < 0)
            tool_fail("source");
        left -= (uint64_t)n;
        at = (at + (size_t)n) % BLOCK;
    }
    return 0;
}
