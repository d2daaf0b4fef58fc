# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What the tests of pages share. A test reads this file, makes what its page takes for granted, and calls `page`. The
# folder bin is first in PATH: it has the command, and stand-ins for programs that are not here.
set -euo pipefail
mkdir bin srv
ln -s "$LEAT" bin/leat
export PATH=$PWD/bin:$PATH LC_ALL=C TMPDIR=$PWD
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL_S3

# stand_in NAME SCRIPT: a program for the pages
stand_in()
{
    printf '#!/bin/bash\n%s\n' "$2" >"bin/$1"
    chmod +x "bin/$1"
}

# random_file NAME BYTES: the same bytes each time, so that a page can name their digest
random_file()
{
    python3 -c 'import random, sys; open(sys.argv[1], "wb").write(random.Random(17).randbytes(int(sys.argv[2])))' "$1" "$2"
}

# page NAME [FROM=TO...]: every command of the page does what the page says; see tests/pages/run
page()
{
    local name=$1
    shift
    "$LEAT_SOURCE/tests/pages/run" "$LEAT_SOURCE/$name" /srv/=srv/ /dev/sdb=sdb /dev/sdc=sdc /dev/tape=tape "$@"
}

# wrong WHAT: the test fails
wrong()
{
    echo "$*"
    exit 1
}

# The library as it is built, for programs on pages: pkg-config finds it here.
library()
{
    local shared=${SHARED:?}
    mkdir pc
    printf 'Name: leat\nDescription: leat\nVersion: 0\nCflags: -I%s\nLibs: %s -Wl,-rpath,%s\n' \
        "$LEAT_SOURCE/include" "$shared" "$(dirname "$shared")" >pc/leat.pc
    export PKG_CONFIG_PATH=$PWD/pc
    ln -s "$(command -v "$CC")" bin/cc
}

# store: an S3 store on this machine, and the environment that leads to it
store()
{
    python3 -B "$LEAT_SOURCE/tests/servers/faulty_s3.py" >store.url &
    trap 'kill $(jobs -p) 2>/dev/null' EXIT
    until [ -s store.url ]; do sleep 0.05; done
    AWS_ENDPOINT_URL=$(cat store.url)
    export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=key AWS_SECRET_ACCESS_KEY=secret
}

# web FOLDER: a web server for it on this machine; $web is its URL
# shellcheck disable=SC2034
web()
{
    python3 -u -m http.server --bind 127.0.0.1 --directory "$1" 0 >web.said 2>web.log &
    trap 'kill $(jobs -p) 2>/dev/null' EXIT
    until grep -q 'port [0-9]' web.said; do sleep 0.05; done
    web=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' web.said)
}

# free_port: prints a port of TCP that nobody has
free_port()
{
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# python_package: the programs of the page can import leat
python_package()
{
    [ -e "$LEAT_BUILD/python/leat/_leat.abi3.so" ] || { echo "the Python package is not built"; exit 77; }
    export PYTHONPATH=$LEAT_BUILD/python PYTHONDONTWRITEBYTECODE=1
}
