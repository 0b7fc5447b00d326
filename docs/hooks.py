"""Hooks of MkDocs: figures stay in `assets/`, where the README and the result files need them too.

A document links a figure as `../assets/...`, which GitHub follows; here the figure becomes a file of the site.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File

ASSETS = Path(__file__).resolve().parents[1] / "assets"
IMAGE_SUFFIXES = (".png", ".jpg", ".svg")
#: A link out of `docs/`: the first of its `../` goes.
_LINK = re.compile(r"\]\(\.\./((?:\.\./)*assets/)")


def on_files(files, config):
    """Adds the images of `assets/` to the files of the site."""
    for path in sorted(ASSETS.rglob("*")):
        if path.suffix in IMAGE_SUFFIXES:
            uri = f"assets/{path.relative_to(ASSETS).as_posix()}"
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Rewrites links to `assets/` as links within the site."""
    return _LINK.sub(r"](\1", markdown)
