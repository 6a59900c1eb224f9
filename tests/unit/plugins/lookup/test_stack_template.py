# Copyright: Contributors to the spot.eventbridge collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleLookupError

from ansible_collections.spot.eventbridge.plugins.lookup import stack_template
from ansible_collections.spot.eventbridge.plugins.lookup.stack_template import LookupModule


def test_it_returns_the_text_of_the_template() -> None:
    (text,) = LookupModule().run([])
    assert next(iter(yaml.safe_load(text)["Resources"])) == "Connection"
    assert text.startswith("---\n# Copyright")


def test_it_documents_all_parameters() -> None:
    (text,) = LookupModule().run([])
    described = yaml.safe_load(stack_template.DOCUMENTATION)["description"]
    assert set(re.findall(r"C\((\w+)\)", " ".join(described))) == set(yaml.safe_load(text)["Parameters"])


@pytest.mark.parametrize(("terms", "options"), [(["other"], {}), ([], {"format": "json"})])
def test_it_takes_nothing(terms: list[str], options: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleLookupError, match="neither terms nor options"):
        LookupModule().run(terms, **options)


def test_an_installation_without_the_file_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stack_template, "TEMPLATE", tmp_path / "gone.yml")
    with pytest.raises(AnsibleLookupError, match="Install the collection again"):
        LookupModule().run([])
