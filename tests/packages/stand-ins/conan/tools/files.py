# SPDX-License-Identifier: MIT
import glob
import hashlib
import os
import shutil
import tarfile


def get(recipe, url, sha256, strip_root):
    """The tarball is a file that is there, in place of what the URL names."""
    assert os.path.basename(url) == os.path.basename(recipe.tarball), f"{url} is another tarball"
    with open(recipe.tarball, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == sha256, "the sum is not that of the tarball"
    assert strip_root
    with tarfile.open(recipe.tarball) as archive:
        archive.extractall(recipe.source_folder + ".d")
    (root,) = os.listdir(recipe.source_folder + ".d")
    os.rename(os.path.join(recipe.source_folder + ".d", root), recipe.source_folder)


def copy(recipe, pattern, src, dst):
    os.makedirs(dst, exist_ok=True)
    for name in glob.glob(os.path.join(src, pattern)):
        shutil.copy(name, dst)


def rm(recipe, pattern, folder):
    for name in glob.glob(os.path.join(folder, pattern)):
        os.unlink(name)


def rmdir(recipe, path):
    shutil.rmtree(path, ignore_errors=True)
