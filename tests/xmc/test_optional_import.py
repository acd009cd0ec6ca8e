import json
import sys

import pytest

from larix.xmc.optional_import import import_optional


def test_the_last_module_is_given_with_its_parts_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "json.tool", raising=False)
    assert import_optional("json.tool", "json", needed_by="printing", extra="print") is json
    assert "json.tool" in sys.modules


def test_a_missing_module_is_told_with_the_command_that_installs_it(tmp_path, monkeypatch):
    (tmp_path / "incomplete_library.py").write_text("import a_part_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    for module, missing in [("nowhere", "nowhere"), ("incomplete_library", "a_part_that_is_missing")]:
        with pytest.raises(ModuleNotFoundError) as caught:
            import_optional(module, needed_by="this test", extra="dev")
        expected = f"this test needs {missing}, which is not installed; run: pip install 'larix[dev]'"
        assert str(caught.value) == expected
