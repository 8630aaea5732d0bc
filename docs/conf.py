"""How the book is built; `python -m docs` calls it for each language."""

from __future__ import annotations

import hashlib
import os
import sys
from importlib import metadata
from pathlib import Path

from jupyter_cache import get_cache
from sphinx.ext.autodoc.mock import MockFinder

HERE = Path(__file__).parent
ROOT = HERE.parent
BUILD = ROOT / "out" / "docs"
OURS = ("samestep", "tf_impl", "torch_impl")


def _what_pages_run() -> str:
    """A name for all that cells call: where it changes, every page runs anew."""
    text = hashlib.sha256()
    files = [path for folder in (*OURS, "compare") for path in (ROOT / folder).rglob("*")]
    files += set(HERE.rglob("*.py")) - {HERE / name for name in ("__init__.py", "__main__.py", "conf.py")}
    files += [*(ROOT / "tests" / "data" / "pairs").rglob("*"), *(ROOT / "tests" / "programs").glob("*.py")]
    files += (ROOT / "benchmarks").rglob("*.json")
    for path in sorted(files):
        if path.is_file() and "__pycache__" not in path.parts:
            text.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for name in ("keras", "tensorflow", "torch", "numpy", "pandas", "matplotlib"):
        text.update(f"{name} {metadata.version(name)}".encode())
    return text.hexdigest()[:12]


sys.path[:0] = [str(HERE), str(ROOT)]
_cache = BUILD / "cache" / _what_pages_run()
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ["SAMESTEP_BOOK_RUNS"] = str(_cache / "runs")

from findings import pages as findings  # noqa: E402
from mistakes import pages  # noqa: E402

pages.write()
findings.write()

# kernels without the reader's own settings, and silent about talking to this machine without encryption
_profile = BUILD / "ipython" / "profile_default"
_profile.mkdir(parents=True, exist_ok=True)
(_profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
os.environ["IPYTHONDIR"] = str(_profile.parent)

project = "samestep"
author = "the samestep developers"
version = release = metadata.version("samestep")
language = "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_design", "translated_glue"]
exclude_patterns = ["_templates", "locale"]

html_theme = "furo"
html_title = "samestep"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_static_path = ["_static"]
html_css_files = ["book.css"]
templates_path = ["_templates"]
html_copy_source = html_show_sourcelink = html_show_copyright = False
pygments_style = "tango"
pygments_dark_style = "monokai"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(_cache / "notebooks")
get_cache(nb_execution_cache_path).get_cache_limit()  # made here, since pages that are read at once would all make it
nb_execution_raise_on_error = False  # a warning instead, with its traceback: so all pages that fail are told
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_number_source_lines = False

# The page of the Python API is made from docstrings. A process may import one framework only, and this process imports
# none: stand-ins take their place. autodoc_mock_imports is no help: it is off while a lazy name is looked up.
sys.meta_path.insert(0, MockFinder(["keras", "tensorflow", "torch"]))
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "model_config"}
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "code"
nitpick_ignore_regex = [("py:.*", ".*")]  # types in signatures that the page does not describe

locale_dirs = ["locale"]
gettext_compact = False
gettext_location = False
gettext_uuid = False
