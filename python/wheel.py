#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a wheel of the package, or says where an interpreter looks for packages. It needs nothing but the standard library.

    wheel.py --version VERSION --module FILE --to FOLDER    a wheel of the modules and of this extension; prints its path
    wheel.py --version VERSION --info FOLDER                the metadata of an installed package
    wheel.py --folder PREFIX                                where packages go below a prefix

It is also the build backend of pyproject.toml: `pip install ./python` configures and builds leat by CMake in a folder of its own.
"""

import argparse
import base64
import hashlib
import os
import pathlib
import re
import site
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
TAG = "cp39-abi3-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


def metadata(version):
    lines = ["Metadata-Version: 2.1", "Name: leat", f"Version: {version}",
             "Summary: Moves bytes between descriptors by the cheapest way the kernel allows", "License: MIT",
             "Requires-Python: >=3.9", "Classifier: Operating System :: POSIX :: Linux",
             "Classifier: Programming Language :: C", "Classifier: Programming Language :: Python :: 3",
             "Classifier: Typing :: Typed", "Description-Content-Type: text/markdown", ""]
    return "\n".join(lines) + "\n" + (HERE / "README.md").read_text("utf-8")


def modules():
    """The files of the package, by their names in a wheel."""
    found = [path for path in (HERE / "leat").rglob("*") if path.suffix in (".py", ".pyi") or path.name == "py.typed"]
    return {str(path.relative_to(HERE)): path.read_bytes() for path in found}


def make_wheel(version, module, folder):
    """The same files always make the same wheel."""
    files = modules()
    files["leat/_leat.abi3.so"] = pathlib.Path(module).read_bytes()
    info = f"leat-{version}.dist-info"
    files[f"{info}/METADATA"] = metadata(version).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: leat\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode()
    record = []
    for name in sorted(files):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(files[name])}\n")
    record.append(f"{info}/RECORD,,\n")
    files[f"{info}/RECORD"] = "".join(record).encode()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"leat-{version}-{TAG}.whl"
    date = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315532800))[:6]  # a zip file begins in 1980
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            wheel.writestr(entry, files[name])
    return path


def make_info(version, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(metadata(version), "utf-8")


def folder_below(prefix):
    """Relative to the prefix. If the interpreter looks nowhere below it, the usual place."""
    below = [os.path.relpath(path, prefix) for path in site.getsitepackages() if path.startswith(prefix.rstrip("/") + "/")]
    below = [path for path in below if not path.startswith("local/")]
    return min(below, key=len, default=f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages")


# ---- the build backend ----


def header_version():
    text = (HERE.parent / "include/leat/base.h").read_text()
    return ".".join(re.search(rf"^#define LEAT_VERSION_{part} +(\d+)", text, re.M)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as build:
        subprocess.run(["cmake", "-S", HERE.parent, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DLEAT_PYTHON=ON",
                        "-DLEAT_TESTS=OFF", f"-DPython3_EXECUTABLE={sys.executable}"], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "leat_python_alone", "--parallel"], check=True)
        module = os.path.join(build, "python", "alone", "_leat.abi3.so")
        return make_wheel(header_version(), module, wheel_directory).name


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the source of leat is more than this folder: use a release of leat")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--version", "--module", "--to", "--info", "--folder"):
        parser.add_argument(name)
    options = parser.parse_args()
    if options.folder:
        print(folder_below(options.folder))
    elif options.info:
        make_info(options.version, options.info)
    else:
        print(make_wheel(options.version, options.module, options.to))


if __name__ == "__main__":
    main()
