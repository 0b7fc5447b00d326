"""Blocks every event of which is checked on its way in, and whose messages suit who reads them."""

from html import escape

import gradio as gr
from gradio.blocks import BlockFunction

from page.errors import user_error
from page.upload_folder import check_files


class GuardedBlocks(gr.Blocks):
    """Blocks whose events take no files but uploads, and show no markup that a visitor wrote.

    Every way in passes here: the page, `/gradio_api/call` and `/run`, `/gradio_api/queue/join`, and MCP.
    """

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list, *rest, **named):
        """As Gradio does it, after a look at the inputs.

        Raises:
            gr.Error: They name a file that is no upload, or an address.
        """
        check_files(inputs)
        pairs = zip(block_fn.inputs, inputs, strict=False)  # how many there are is for Gradio to check
        inputs = [_bare_file(value) if isinstance(block, gr.Image) else value for block, value in pairs]
        return await super().preprocess_data(block_fn, inputs, *rest, **named)

    async def process_api(self, block_fn: BlockFunction | int, *rest, **named):
        """As Gradio does it. An error reaches programs as it is, and the page, which renders it as HTML, escaped."""
        try:
            return await super().process_api(block_fn, *rest, **named)
        except gr.Error as error:
            event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
            if event.api_visibility != "public":
                error.message = escape(error.message)
            raise


def _bare_file(value) -> dict | None:
    """What Gradio needs of a file, with the mark that lets it check the path too, and without addresses."""
    if value is None:
        return None
    if not isinstance(value, dict) or "path" not in value:
        raise user_error("Please send the picture as a file.")
    return {"path": value["path"], "meta": {"_type": "gradio.FileData"}}
