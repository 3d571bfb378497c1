"""Sphinx settings of the reading site; build.py puts this file beside the pages that it makes."""

project = "Variational autoencoders and AutoML"
author = ""
extensions = ["myst_nb", "glossary_links"]
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
suppress_warnings = ["mystnb.unknown_mime_type"]

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "static/icon.svg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = [("explorer.js", {"defer": "defer"}), ("page.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_context = {"default_mode": "auto"}  # as the reader's system: dark or light
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navbar_persistent": [],  # the search stands in the contents
}
mathjax_path = "mathjax/tex-chtml.js"
