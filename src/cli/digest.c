#include "cli.h"
int cli_digest(int argc, char **argv)
{
    (void)argc;
    return cli_usage(argv[0], "not yet");
}
