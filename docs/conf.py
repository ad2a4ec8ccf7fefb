"""The documentation as a site: `sphinx-build -W docs site`, from the extra `docs`."""

project = "lxc"
author = "the authors of lxc"
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["worked-example"]
html_extra_path = ["manifest.schema.json"]
html_theme = "furo"
html_title = "lxc"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
myst_heading_anchors = 3
# IR text and sessions have no colours; a block that Pygments cannot read is no mistake.
suppress_warnings = ["misc.highlighting_failure"]
