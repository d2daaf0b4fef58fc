# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of leat for bash. Where it has nothing to say, bash completes names of files as ever.

# _leat_words WORD "CANDIDATES"
_leat_words()
{
    mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
}

# No names of files either.
_leat_nothing()
{
    COMPREPLY=()
    compopt +o default +o bashdefault 2>/dev/null
}

# _leat_endpoints WORD "SCHEMES": those that begin with WORD, and beside them names of files.
_leat_endpoints()
{
    _leat_words "$1" "$2"
    if [[ ${#COMPREPLY[@]} -gt 0 && -n $1 ]]; then
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$1")
        compopt -o nospace 2>/dev/null
    else
        COMPREPLY=()
    fi
}

# The last of several algorithms with commas between them.
_leat_algorithms()
{
    local word=$1 before="" names="sha256 sha512 sha1 md5 sha224 sha384 sha512-256 sha3-256 sha3-512 blake2b-512
        blake2s-256 sm3 ripemd160 crc32c crc32 crc64nvme xxh3 xxh3-128"
    case $word in
    *,*) before=${word%,*}, ;;
    esac
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$names" -- "${word##*,}")
}

# _leat_value OPTION VALUE
_leat_value()
{
    case $1 in
    --digest | --algorithm | -a) _leat_algorithms "$2" ;;
    --expect)
        _leat_words "$2" "sha256: sha512: sha1: md5: blake2b-512: sha3-256: crc32c: xxh3:"
        compopt -o nospace 2>/dev/null
        ;;
    --digest-provider) _leat_words "$2" "auto user kernel" ;;
    --source) _leat_words "$2" "live stable" ;;
    --sparse) _leat_words "$2" "auto always never" ;;
    --slow-sink) _leat_words "$2" "wait drop spill" ;;
    --route) _leat_words "$2" "auto clone offload splice direct chunk prefer:clone prefer:offload prefer:splice prefer:direct prefer:chunk" ;;
    --cache) _leat_words "$2" "keep drop direct" ;;
    --engine) _leat_words "$2" "auto sync uring" ;;
    --only)
        _leat_words "$2" "file-to-file file-to-null file-to-pipe pipe-to-pipe pipe-to-file file-to-unix file-to-tcp
            unix-to-file tcp-to-file pipes latency"
        ;;
    --cacert | --cert | --key | --netrc-file | --plot | --digest-file) compopt -o default 2>/dev/null ;;
    --directory) compopt -o dirnames +o default +o bashdefault 2>/dev/null ;;
    --explain | --trace) _leat_words "$2" "text json" ;;
    --progress) _leat_words "$2" "auto bar json never" ;;
    --report)
        if [[ $2 != *:* ]]; then # behind it comes the name of a file
            _leat_words "$2" "text json text: json:"
            compopt -o nospace 2>/dev/null
        fi
        ;;
    *) _leat_nothing ;;
    esac
    # Bash takes for a word what comes behind the last colon, and replaces only that.
    if [[ $2 == *:* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${2%:*}:"}")
    fi
}

_leat()
{
    local words=() part last="" options wants word before
    local commands="copy run digest verify shard ls stat rm image store channel probe bench version"
    COMPREPLY=()
    # Bash also breaks words at = and :, which makes three of --report=json.
    for part in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} -gt 0 && ($part =~ ^[=:]+$ || ($last =~ ^[=:]+$ && $part != -*)) ]]; then
            words[-1]+=$part
        else
            words+=("$part")
        fi
        last=$part
    done
    word=${words[-1]}
    if [[ ${#words[@]} -le 2 ]]; then
        _leat_words "$word" "$commands help --help --version"
        return
    fi
    before=${words[-2]}

    case ${words[1]} in
    copy | run)
        options="--offset --length --source --digest --expect --digest-provider --append --in-place
            --no-clobber --replace --force --drop-attributes --sync --preserve
            --sparse --sparse= --slow-sink --route --cache --engine --no-learn --memory-limit --pipe-size --buffer --rate --connect-timeout --idle-timeout --part-size --resume --checksum-algorithm --total-timeout --retries
            --streams --header --netrc --netrc-file --cacert --cert --key
            --explain --explain= --progress --progress= --report --report= --trace --trace= --help"
        wants="--offset --length --source --digest --expect --digest-provider --slow-sink --route --cache --engine
            --memory-limit --pipe-size --buffer --rate --connect-timeout --idle-timeout --part-size --resume --checksum-algorithm --total-timeout --retries
            --streams --header --netrc-file --cacert --cert --key"
        if [[ ${words[1]} == copy ]]; then
            options+=" --recursive --archive --jobs --one-file-system --shard --digest-file
                --exclude --exclude-from --include --include-from --files-from --from0 --max-depth --update
                --delete --dry-run"
            wants+=" --jobs --shard --digest-file --exclude --exclude-from --include --include-from --files-from --max-depth"
            options+=" --also --claim --lease"
            wants+=" --also --claim --lease"
            options+=" --journal --no-journal --publish-tree"
            wants+=" --journal"
        fi
        ;;
    digest)
        options="--algorithm --length --jobs --tag --binary --text --zero --check --ignore-missing --quiet --status
            --strict --warn --help"
        wants="-a --algorithm -l --length -j --jobs"
        ;;
    verify)
        options="--archive --jobs --one-file-system --status --progress --progress= --exclude --exclude-from --include --include-from --max-depth --digest --complete --ignore-missing --strict --warn --help"
        wants="--jobs --digest --exclude --exclude-from --include --include-from --max-depth"
        ;;
    shard)
        options="--json --help"
        ;;
    image)
        options="--all --platform --jobs --retries --insecure --cacert --cert --key --progress --progress= --trace --trace= --json --help"
        wants="--platform --jobs --retries --cacert --cert --key"
        ;;
    ls | rm)
        options="--recursive --retries --insecure --header --netrc --netrc-file --cacert --cert --key --trace --trace= --json --help"
        wants="--retries --header --netrc-file --cacert --cert --key"
        ;;
    stat)
        options="--retries --insecure --header --netrc --netrc-file --cacert --cert --key --trace --trace= --json --help"
        wants="--retries --header --netrc-file --cacert --cert --key"
        ;;
    store)
        options="--older-than --dry-run --retries --header --netrc --netrc-file --cacert --cert --key --trace --trace= --json --help"
        wants="--older-than --retries --header --netrc-file --cacert --cert --key"
        ;;
    channel | probe | version)
        options="--json --help"
        wants=
        ;;
    help)
        _leat_nothing
        [[ ${#words[@]} -gt 3 ]] || _leat_words "$word" "$commands"
        return
        ;;
    bench)
        options="--rounds --seconds --size --memory-limit --quick --pin --only --directory --plot --overwrite --json --help"
        wants="--rounds --seconds --size --memory-limit --pin --only --directory --plot"
        ;;
    *) return ;;
    esac

    if [[ $word == --*=* ]]; then
        _leat_value "${word%%=*}" "${word#*=}"
    elif [[ " ${wants//[[:space:]]/ } " == *" $before "* ]]; then
        _leat_value "$before" "$word"
    elif [[ $word == -?* ]]; then
        _leat_words "$word" "$options"
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
            compopt -o nospace 2>/dev/null
        fi
    elif [[ ${words[1]} == image && ${#words[@]} -eq 3 ]]; then
        _leat_words "$word" "copy inspect verify"
    elif [[ ${words[1]} == store && ${#words[@]} -eq 3 ]]; then
        _leat_words "$word" "sweep"
    elif [[ ${words[1]} == channel ]]; then
        if [[ ${#words[@]} -eq 3 ]]; then
            _leat_words "$word" inspect
        else
            _leat_nothing
        fi
    elif [[ ${words[1]} == probe ]]; then
        compopt -o dirnames +o default +o bashdefault 2>/dev/null
    elif [[ ${words[1]} == run || ${words[1]} == version ]]; then
        _leat_nothing
    elif [[ ${words[1]} == copy || ${words[1]} == bench ]]; then
        _leat_endpoints "$word" "null: zero: file: fd: tcp: tcp-listen: unix: unix-listen: exec: channel: http:// https:// s3:// oci://"
    elif [[ ${words[1]} == image ]]; then
        _leat_endpoints "$word" "docker:// oci: oci-archive: docker-archive:"
    elif [[ ${words[1]} == ls || ${words[1]} == stat || ${words[1]} == rm || ${words[1]} == store ]]; then
        _leat_endpoints "$word" "s3:// oci:// http:// https:// file:"
    fi
}

complete -o bashdefault -o default -F _leat leat
