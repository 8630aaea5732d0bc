"""Lets a translated paragraph use the values that its page has glued."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.ext.glue.utils import PendingGlueReference
from sphinx.application import Sphinx


class GlueText(PasteTextRole):
    """``{glue:text}`key:format```, also where Sphinx parses a translated paragraph by itself, away from its page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The node: a reference to the page's own values, which MyST-NB fills in last."""
        if "nb_renderer" in self.document:
            return super().run()
        key, _, form = self.text.partition(":")
        page = self.document.settings.env.docname
        node = PendingGlueReference(refdoc=page, key=key, inline=True, gtype="text", fmt_spec=form or "s")
        node.source, node.line = self.source, self.line
        return [node], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of MyST-NB's role."""
    app.add_role_to_domain("glue", "text", GlueText(), override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
