# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the checks of packages, which scripts/release runs in an empty folder each:
#   $LEAT_SOURCE    the tree
#   $LEAT_TARBALL   the release tarball
#   $LEAT_RECIPES   the folder of the recipes that packaging/fill made for it
#   $LEAT_OUTPUT    the folder of what is released
# A check that cannot run here ends with 77 after a line with the reason.
set -euo pipefail
version=$(basename "$LEAT_TARBALL" .tar.xz)
version=${version#leat-}
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL-2}
# One set of flags: with ccache only the first package compiles.
export CFLAGS="-O2 -g"

# needs COMMAND...: the check cannot run without these
needs()
{
    local command
    for command; do
        command -v "$command" >/dev/null || { echo "there is no $command here; scripts/setup --packages installs it"; exit 77; }
    done
}

# silently COMMAND...: what it prints is in $log
log=$PWD/log
silently()
{
    "$@" >"$log" 2>&1 </dev/null || { tail -n 60 "$log"; echo "failed: $*"; exit 1; }
}

# installed ROOT: what a package put below ROOT has all its parts, and the command works
installed()
{
    local file
    for file in bin/leat include/leat/leat.h share/man/man1/leat-copy.1 share/man/man3/leat_copy.3 \
        share/bash-completion/completions/leat share/fish/vendor_completions.d/leat.fish "share/zsh/*/_leat"; do
        compgen -G "$1/usr/$file*" >/dev/null || { echo "the package has no $file"; exit 1; }
    done
    [ "$(find "$1" -name 'libleat.so.0*' | wc -l)" -eq 2 ] || { echo "the package has no libleat.so.0"; exit 1; }
    find "$1" -name leat.pc | grep -q . || { echo "the package has no leat.pc"; exit 1; }
    if grep -rIl "$PWD" "$1"; then
        echo "these files name the folder of the build"
        exit 1
    fi
    copies "$1/usr/bin/leat"
}

# copies COMMAND: it is this version, copies, and prints the right digest
copies()
{
    [ "$("$1" --version)" = "leat $version" ] || { echo "$1 is another version than $version"; exit 1; }
    head -c 300000 /dev/urandom >from
    "$1" copy --digest sha256 from to >sums
    cmp from to
    sha256sum --status -c sums || { echo "$1 printed a wrong digest"; cat sums; exit 1; }
}
