# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced: steps of tests that build leat in $PWD, each silent unless it fails.
set -eu
[ -z "${LEAT_PORTABLE-}" ] || { echo "skipped: what is built here does not depend on the preset"; exit 77; }
version=$("$LEAT" --version)

# silently COMMAND...
silently()
{
    "$@" >log 2>&1 || { tail -n 60 log; echo "failed: $*"; exit 1; }
}

# says_version COMMAND...
says_version()
{
    said=$("$@") || { echo "$* failed"; exit 1; }
    [ "$said" = "$version" ] || { echo "$* said: $said"; exit 1; }
}

# copies COMMAND: a smoke test of a command that was built
copies()
{
    says_version "$1" --version
    head -c 300000 /dev/urandom >from
    sum=$("$1" copy --digest sha256 from to) || { echo "$1 copy failed"; exit 1; }
    cmp from to
    [ "${sum%% *}" = "$(sha256sum <from | cut -d ' ' -f 1)" ] || { echo "$1 printed another digest: $sum"; exit 1; }
}

# links_statically PREFIX: a program links the archive that is installed there, and may use its inner names.
links_statically()
{
    cat >outside.c <<'END'
#include <leat/leat.h>
#include <stdio.h>

int budget_take = 1; /* an inner name of the library */

int main(void)
{
    return printf("leat %s\n", leat_version()) < 0 || budget_take != 1;
}
END
    PKG_CONFIG_PATH=$(dirname "$(find "$1" -name leat.pc)")
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046,SC2086 # lists of words
    silently "${COMPILER:-$CC}" ${CFLAGS-} ${LDFLAGS-} -o static outside.c $(pkg-config --static --cflags --libs leat | sed 's/-lleat/-l:libleat.a/')
    says_version ./static
}

# distribution FLAGS LINKER-FLAGS: builds with a distribution's flags, installs, and tries what was installed. With
# LEAT_TEST_QUICK it optimizes less: what links is the same.
distribution()
{
    CFLAGS=$1 LDFLAGS=$2
    [ -z "${LEAT_TEST_QUICK-}" ] || CFLAGS=$(echo "$CFLAGS" | sed 's/-O[2s]/-O1/')
    export CFLAGS LDFLAGS
    silently "$CMAKE" -S "$LEAT_SOURCE" -B build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$PWD/installed" \
        -DCMAKE_C_COMPILER="${COMPILER:-$CC}" -DBUILD_TESTING=OFF
    silently "$CMAKE" --build build -j 2
    silently "$CMAKE" --install build
    copies installed/bin/leat
    links_statically installed
    "$NM" -g --defined-only installed/lib*/libleat.a installed/lib/*/libleat.a 2>/dev/null | awk 'NF == 3 && $NF !~ /^(leat_|DW\.ref\.)/' >foreign
    [ ! -s foreign ] || { echo "the archive shows:"; cat foreign; exit 1; }
}

# keeps_cet FILE...: every object in them is marked for shadow stacks and for landing pads of indirect branches (Intel CET).
keeps_cet()
{
    for file; do
        objects=$(readelf -h "$file" | grep -c '^ELF Header')
        marked=$(readelf -n "$file" | grep -c 'x86 feature: IBT, SHSTK') || true
        if [ "$objects" -eq 0 ] || [ "$marked" -ne "$objects" ]; then
            echo "$file: of $objects objects $marked are marked for CET"
            exit 1
        fi
    done
}
