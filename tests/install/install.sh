# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced: installs the build into $PWD/prefix, and writes a program that uses it.
set -eu
export prefix="$PWD/prefix"
"$CMAKE" --install "$LEAT_BUILD" --prefix "$prefix" >install.log || { cat install.log; exit 1; }

cat >outside.c <<'END'
#include <leat/leat.h>
#include <stdio.h>

int main(void)
{
    uint64_t size = 0;
    if (leat_size_parse("64K", &size) != 0 || size != 65536)
        return 1;
    printf("leat %s\n", leat_version());
    return 0;
}
END

# runs COMMAND...: it prints the version that the command prints
runs()
{
    said=$("$@") || { echo "$* failed"; exit 1; }
    [ "$said" = "$("$LEAT" --version)" ] || { echo "$* said: $said"; exit 1; }
}

# needs PROGRAM yes|no: whether it loads the shared library
needs()
{
    if readelf -d "$1" | grep -q 'NEEDED.*libleat\.so\.0'; then needed=yes; else needed=no; fi
    [ "$needed" = "$2" ] || { echo "$1 loads libleat.so.0: $needed, should be: $2"; exit 1; }
}
