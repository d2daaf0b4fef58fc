# SPDX-License-Identifier: MIT
"""links.py: each link between the Markdown files of the repository leads to a file, and to a heading if it names one.
links.py --site FOLDER: the same for the pages of the built site. Links to other hosts are not followed.
"""
import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

SOURCE = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"!?\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)?\]\(([^()\s]+)\)")
HTML = re.compile(r'(?:href|src|srcset)="([^"]+)"')
problems = []
count = 0


def slug(heading):
    """The anchor that GitHub gives to a heading."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")


def prose(text):
    """The lines outside of fenced blocks."""
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield line


def headings(page):
    seen = {}
    for line in prose(page.read_text()):
        found = re.match(r"#{1,6} (.*)", line)
        if found:
            name = slug(found[1])
            seen[name] = seen.get(name, -1) + 1
            yield name if seen[name] == 0 else f"{name}-{seen[name]}"


def check(page, to, anchors):
    """Whether the link leads anywhere; `anchors` gives those of a file."""
    global count
    parts = urllib.parse.urlsplit(to)
    if parts.scheme or parts.netloc:
        return
    count += 1
    path = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
    if not path.exists():
        problems.append(f"{page}: there is no {to}")
    elif parts.fragment and urllib.parse.unquote(parts.fragment) not in anchors(path):
        problems.append(f"{page}: {path.name} has no '#{parts.fragment}'")


def tracked():
    """The Markdown files that git knows, or could know; none if this is no repository, as after unpacking a release."""
    if not (SOURCE / ".git").exists() or not shutil.which("git"):
        return []
    command = ["git", "-C", SOURCE, "ls-files", "-co", "--exclude-standard", "*.md"]
    return [SOURCE / name for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def check_repository():
    pages = tracked() or sorted(p for p in SOURCE.rglob("*.md") if not p.relative_to(SOURCE).parts[0].startswith("build"))
    known = {}

    def anchors(path):
        if path.suffix != ".md":
            return set()
        return known.setdefault(path, set(headings(path)))

    for page in pages:
        if not page.exists():
            continue
        for line in prose(page.read_text()):
            line = re.sub(r"`[^`]*`", "", line)
            for to in LINK.findall(line) + HTML.findall(line):
                check(page, to, anchors)


class Page(html.parser.HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and value and not value.startswith(("data:", "javascript:", "mailto:")):
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def check_site(folder):
    pages = {path.resolve(): Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}

    def anchors(path):
        return pages[path].anchors if path in pages else set()

    for path, page in pages.items():
        if path.name == "404.html":  # its links begin at the root of a server
            continue
        for to in page.links:
            check(path, to, anchors)


if sys.argv[1:2] == ["--site"]:
    check_site(pathlib.Path(sys.argv[2]))
else:
    check_repository()
print("\n".join(problems) + ("\n" if problems else "") + f"{count} links, {len(problems)} lead nowhere")
sys.exit(1 if problems or count < 20 else 0)
