# SPDX-License-Identifier: MIT
"""Small trees and patterns from a seed, for the tests of what `leat copy -r` selects and deletes."""
import os

PARTS = ["a", "b", "ab", "abc", "a.o", "b.c", "-", "[", "a]b", "*", "?x", "\\", "a\\b", "é", "ba\n"]


def tree(place, names):
    """Makes files, and folders whose names end in a slash, with all that is above them."""
    for name in names:
        path = os.path.join(os.fsencode(place), os.fsencode(name))
        os.makedirs(path if path.endswith(b"/") else os.path.dirname(path), exist_ok=True)
        if not path.endswith(b"/"):
            with open(path, "wb") as file:
                file.write(os.fsencode(name))


def names_in(place):
    """All names below, folders with a slash behind."""
    found = []
    for folder, folders, files in os.walk(os.fsencode(place)):
        below = os.path.relpath(folder, os.fsencode(place))
        found += [os.path.normpath(os.path.join(below, name)) for name in files]
        found += [os.path.normpath(os.path.join(below, name)) + b"/" for name in folders]
    return sorted(found)


def random_tree(dice, count=60, beside=()):
    """Names, none of which is both a file and a folder, in itself or in `beside`."""
    kept = list(beside)
    for _ in range(count):
        depth = dice.choice([1, 1, 2, 2, 3, 4])
        name = "/".join(dice.choice(PARTS) for _ in range(depth)) + dice.choice(["", "", "", "/"])
        above = [name[:at] for at in range(len(name)) if name[at] == "/"]
        is_file = not name.endswith("/")
        if any(a in kept for a in above) or (is_file and any(k.startswith(name + "/") for k in kept)):
            continue
        kept.append(name)
    return kept[len(beside) :]


def random_pattern(dice):
    tokens = ["*", "*", "**", "***", "?", "[a-c]", "[!a]", "[^b]", "[[:alpha:]]", "[[:nothing:]]", "[]a]", "[a", "[a\\]b]", "[a-]",
              "\\*", "\\", "a", "b", "ab", ".o", ".", "x", "c", "]", "[[]", "é", "[b-\\c]", "[\\a-c]", "[[a:]"]
    parts = ["".join(dice.choices(tokens, k=dice.choice([1, 1, 2, 3]))) for _ in range(dice.choice([1, 1, 1, 2, 2, 3]))]
    return dice.choice(["", "", "", "/"]) + "/".join(parts) + dice.choice(["", "", "", "/", "/***", "/**", "/*"])


def random_rules(dice):
    rules = [(dice.choice(["exclude", "exclude", "include"]), random_pattern(dice)) for _ in range(dice.choice([1, 1, 2, 4]))]
    return rules + dice.choice([[], [("exclude", "*")], [("include", "*/"), ("exclude", "*")]])
