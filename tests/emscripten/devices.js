/* SPDX-License-Identifier: MIT */
// What a POSIX system has and Emscripten's lacks: devices (the number is its ENOSPC), and what the tests are told in the
// environment.
Module['preRun'] = [function() {
    FS.createDevice('/dev', 'zero', function() { return 0; }, function() {});
    FS.createDevice('/dev', 'full', function() { return 0; }, function() { throw new FS.ErrnoError(51); });
    for (const name of Object.keys(process.env).filter(function(name) { return name.startsWith('LEAT_'); }))
        ENV[name] = process.env[name];
}];
