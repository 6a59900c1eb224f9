# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx builds the documentation; `make docs` copies it beside the generated pages."""

project = "spot.eventbridge"
copyright = "Contributors to the spot.eventbridge collection"
title = html_title = html_short_title = "spot.eventbridge"
extensions = ["sphinx_antsibull_ext", "myst_parser"]
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_theme = "sphinx_ansible_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
# Two hyphens are two hyphens.
smartquotes_action = "qe"
default_role = "any"
nitpicky = True
# The front page includes it.
exclude_patterns = ["_first_screen.md"]
# References into Ansible's own documentation, which is not fetched.
suppress_warnings = ["ref.ref", "ref.envvar"]
# A part of the repository's own addresses exists only after a release; tests compare them with its files.
linkcheck_ignore = ["https://github.com/ansible-collections/spot.eventbridge"]
linkcheck_timeout = 20
