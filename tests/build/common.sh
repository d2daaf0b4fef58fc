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
