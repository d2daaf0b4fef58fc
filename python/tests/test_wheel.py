# SPDX-License-Identifier: MIT
# labels: long
"""The wheel: it can be unpacked and used, it lists what it has, and it can be made again."""

import base64
import csv
import hashlib
import io
import os
import pathlib
import subprocess
import sys
import unittest
import zipfile

from common import Folder

MAKER = pathlib.Path(__file__).resolve().parent.parent / "wheel.py"


class Wheel(Folder):
    def make(self, name):
        folder = self.path(name)
        made = subprocess.run([sys.executable, MAKER, "--version", "1.2.3", "--module", os.environ["LEAT_MODULE"], "--to", folder],
                              check=True, capture_output=True, text=True)
        return made.stdout.strip()

    def test_wheel(self):
        wheel = self.make("one")
        self.assertRegex(os.path.basename(wheel), r"^leat-1\.2\.3-cp39-abi3-linux_\w+\.whl$")
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            record = archive.read("leat-1.2.3.dist-info/RECORD").decode()
            rows = list(csv.reader(io.StringIO(record)))
            self.assertEqual(sorted(row[0] for row in rows), sorted(names))
            for name, digest, size in rows[:-1]:
                content = archive.read(name)
                self.assertEqual(len(content), int(size))
                expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                self.assertEqual(digest, "sha256=" + expected)
            self.assertIn(b"\nVersion: 1.2.3\n", archive.read("leat-1.2.3.dist-info/METADATA"))
            for name in ("leat/__init__.py", "leat/_leat.abi3.so", "leat/py.typed", "leat/__init__.pyi"):
                self.assertIn(name, names)
            archive.extractall(self.path("unpacked"))
        environment = dict(os.environ, PYTHONPATH=self.path("unpacked"))
        program = "import leat; print(leat.__file__); print(leat.digest(b'x'))"
        ran = subprocess.run([sys.executable, "-c", program], env=environment, cwd=self.folder, check=True,
                             capture_output=True, text=True)
        self.assertEqual(ran.stdout.split(), [self.path("unpacked/leat/__init__.py"), hashlib.sha256(b"x").hexdigest()])

    def test_the_same_again(self):
        self.assertEqual(pathlib.Path(self.make("one")).read_bytes(), pathlib.Path(self.make("two")).read_bytes())


if __name__ == "__main__":
    unittest.main()
