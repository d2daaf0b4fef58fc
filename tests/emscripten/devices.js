// The devices of a POSIX system that Emscripten's lacks; the number is its ENOSPC.
Module['preRun'] = [function() {
    FS.createDevice('/dev', 'zero', function() { return 0; }, function() {});
    FS.createDevice('/dev', 'full', function() { return 0; }, function() { throw new FS.ErrnoError(51); });
}];
