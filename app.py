"""The page of VM-HAN: a sentence, an image and entities in; the relation of every entity pair out.

    python app.py                                   # the bundled model, on http://127.0.0.1:7860
    python app.py --model outputs/mnre-mini/final   # another folder, or a repository on the Hub
    python app.py --detector yolov3u                # the paper's detector finds the objects of images
    VMHAN_MODEL=user/name python app.py             # the same, for where nobody writes a command line, as in a Space

Its code lies in `page/`; `page.layout` is where to start.
"""

import argparse
import os
import sys
from importlib.util import find_spec

try:
    from starlette.middleware import Middleware
except ImportError:  # it comes with Gradio
    sys.exit('The page needs Gradio: pip install -e ".[demo]" in a clone of the repository.')

from page.extractor import Extractor
from page.feedback import FeedbackFile
from page.layout import build_page
from page.render.style import CSS, THEME
from page.request_guard import BlockRemoteFiles
from vmhan.bundled_weights import BUNDLED_MODEL


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parses the command line."""
    setting = os.environ.get
    parser = argparse.ArgumentParser(description="Serve the VM-HAN page.")
    parser.add_argument("--model", default=setting("VMHAN_MODEL", str(BUNDLED_MODEL)), help="folder or Hub repository")
    parser.add_argument(
        "--detector",
        default=setting("VMHAN_DETECTOR"),
        help='detector that is selected first: "bundled", "yolov3u", a folder, a Hub id, "none" '
        "(default: bundled if its weights are here)",
    )
    parser.add_argument(
        "--describer", default=setting("VMHAN_DESCRIBER"), help="captioning or chat model that describes images"
    )
    parser.add_argument(
        "--tagger",
        default=setting("VMHAN_TAGGER"),
        help="token-classification model that finds entities",
    )
    parser.add_argument(
        "--feedback", default=setting("VMHAN_FEEDBACK"), metavar="CSV", help="append visitors' feedback to this file"
    )
    parser.add_argument("--host", help="0.0.0.0 lets other machines in (default: this machine only)")
    parser.add_argument("--port", type=int, help="default: the first free port from 7860")
    parser.add_argument("--share", action="store_true", help="make a public link through Gradio's servers")
    return parser.parse_args(arguments)


arguments = parse_arguments(None if __name__ == "__main__" else [])
extractor = Extractor(arguments.model, arguments.detector, arguments.describer, arguments.tagger)
demo = build_page(extractor, FeedbackFile(arguments.feedback) if arguments.feedback else None)


def main() -> None:
    """Loads the model, so that the first visitor need not wait, and serves the page."""
    print(f"Loading {extractor.name} ...", flush=True)
    try:
        extractor.get_pipeline()
    except (OSError, ValueError) as error:
        print(f"app.py: {error}\nThe page starts without it and tries again at the first request.", file=sys.stderr)
    demo.launch(
        server_name=arguments.host,
        server_port=arguments.port,
        share=arguments.share,
        theme=THEME,
        css=CSS,
        footer_links=["api", "settings"],
        run_history=False,
        max_file_size="20mb",
        mcp_server=find_spec("mcp") is not None,
        app_kwargs={"middleware": [Middleware(BlockRemoteFiles)]},
    )


if __name__ == "__main__":
    main()
