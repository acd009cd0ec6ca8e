import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larix.xmc.manifest import _sealed
from larix.xmc.persistence import FORMAT_VERSION, ModelFolderError, is_whole, load_folder, save_folder

ARRAYS = {"weights": np.arange(40, dtype=np.float32).reshape(8, 5), "offsets": np.arange(9)}


def save_tree(path: Path) -> None:
    save_folder(
        path, kind="Tree", arrays={"slot_label": np.arange(16, dtype=np.int32)}, files={"note": b"leaf"}
    )


def save_model(path: Path) -> None:
    save_folder(
        path,
        kind="Model",
        metadata={"beam": 10, "name": "Lärche"},
        arrays=ARRAYS,
        files={"labels.txt": b"a\nb\n", "written": lambda file: file.write_text("by a function")},
        children={"tree": save_tree},
    )


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def rewrite_manifest(folder: Path, **changes: object) -> None:
    """Change the manifest the way a forger would: with a digest that fits."""
    manifest = json.loads((folder / "model.json").read_bytes())
    del manifest["sha256"]
    (folder / "model.json").write_bytes(_sealed({**manifest, **changes}))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save_model(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="module")
def shared_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared") / "model"
    save_model(folder)
    return folder


def test_everything_comes_back(model):
    saved = load_folder(model, kind="Model")
    assert saved.metadata == {"beam": 10, "name": "Lärche"}
    assert saved.kind == "Model"
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(saved.arrays[name], array)
        assert saved.arrays[name].dtype == array.dtype
    assert saved.file("labels.txt").read_bytes() == b"a\nb\n"
    assert saved.file("written").read_text() == "by a function"
    tree = saved.child("tree", kind="Tree")
    np.testing.assert_array_equal(tree.arrays["slot_label"], np.arange(16))
    assert tree.file("note").read_bytes() == b"leaf"


def test_same_content_gives_the_same_bytes(model, tmp_path):
    save_model(tmp_path / "again")
    assert content(model) == content(tmp_path / "again")


def test_a_folder_with_nothing_but_metadata_is_whole(tmp_path):
    save_folder(tmp_path / "bare", kind="Bare", metadata={"depth": np.int64(3), "eps": np.float32(0.5)})
    saved = load_folder(tmp_path / "bare")
    assert saved.metadata == {"depth": 3, "eps": 0.5}
    assert dict(saved.arrays) == {}


def test_saving_replaces_the_older_folder_altogether(model):
    save_folder(model, kind="Other", files={"only": b"this"})
    assert set(content(model)) == {"model.json", "only"}
    assert [found.name for found in model.parent.iterdir()] == ["model"]


def test_unknown_names_are_refused_with_the_known_ones(model):
    saved = load_folder(model)
    with pytest.raises(ModelFolderError, match=r"no file 'label.txt'; it has labels.txt, written"):
        saved.file("label.txt")
    with pytest.raises(ModelFolderError, match=r"no child 'forest'; it has tree"):
        saved.child("forest")


def test_another_kind_is_refused(model):
    with pytest.raises(ModelFolderError, match="holds a Model, but a Tree is needed"):
        load_folder(model, kind="Tree")
    with pytest.raises(ModelFolderError, match="holds a Tree, but a Model is needed"):
        load_folder(model).child("tree", kind="Model")


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_every_flipped_bit_is_detected_and_its_file_named(shared_model, data):
    file = data.draw(st.sampled_from(sorted(f for f in shared_model.rglob("*") if f.is_file())))
    whole = file.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        file.write_bytes(flipped)
        with pytest.raises(ModelFolderError) as error:
            load_folder(shared_model)
        assert str(file) in str(error.value)
    finally:
        file.write_bytes(whole)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_every_truncation_and_extension_is_detected(shared_model, data):
    file = data.draw(st.sampled_from(sorted(f for f in shared_model.rglob("*") if f.is_file())))
    whole = file.read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    damaged = data.draw(st.sampled_from([cut, whole + b"\n", whole + cut]))
    if damaged == whole:
        damaged = b""
    try:
        file.write_bytes(damaged)
        assert not is_whole(shared_model)
        with pytest.raises(ModelFolderError) as error:
            load_folder(shared_model)
        assert str(file) in str(error.value)
    finally:
        file.write_bytes(whole)


def test_every_byte_of_the_manifest_counts(model):
    whole = (model / "model.json").read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << (position % 8)
        (model / "model.json").write_bytes(flipped)
        assert not is_whole(model), f"byte {position}"


@pytest.mark.parametrize(
    "name", ["model.json", "arrays.safetensors", "labels.txt", "tree/model.json", "tree/note"]
)
def test_a_missing_file_is_named(model, name):
    (model / name).unlink()
    assert not is_whole(model)
    with pytest.raises(ModelFolderError, match=name.replace("/", r"\W+(has no )?")):
        load_folder(model, verify=False)


def test_a_missing_folder_is_named(tmp_path):
    assert not is_whole(tmp_path / "none")
    with pytest.raises(ModelFolderError, match="none is no folder; check the path"):
        load_folder(tmp_path / "none")


def test_existence_needs_the_right_kind(model):
    assert is_whole(model)
    assert is_whole(model, kind="Model")
    assert not is_whole(model, kind="Tree")


def test_a_child_exchanged_for_another_whole_one_is_noticed(model):
    save_folder(model / "tree", kind="Tree", arrays={"slot_label": np.arange(16, dtype=np.int32)[::-1]})
    with pytest.raises(ModelFolderError, match=r"tree/model.json is damaged"):
        load_folder(model)


def test_newer_formats_are_refused_and_name_the_version_to_install(model):
    rewrite_manifest(model, format_version=FORMAT_VERSION + 1, larix_version="9.1.0")
    with pytest.raises(
        ModelFolderError, match=r"format version 2.*reads versions up to 1; install larix 9.1.0"
    ):
        load_folder(model, verify=False)


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None, [1]])
def test_senseless_format_versions_are_refused(model, version):
    rewrite_manifest(model, format_version=version)
    with pytest.raises(ModelFolderError, match="format_version must be 1 or more"):
        load_folder(model)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/hostname", "tree/note", "..", ".", "", "a\\b", "C:x", ".hid", "a\n"]
)
@pytest.mark.parametrize("group", ["files", "children"])
def test_names_that_lead_out_of_the_folder_are_refused(model, group, name):
    rewrite_manifest(model, **{group: {name: {"sha256": "0" * 64, "bytes": 0}}})
    for verify in (True, False):
        with pytest.raises(ModelFolderError, match="files of its own folder only"):
            load_folder(model, verify=verify)


@pytest.mark.parametrize("name", ["labels.txt", "tree"])
def test_links_are_refused(model, tmp_path, name):
    shutil.move(model / name, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", model / name)
    with pytest.raises(ModelFolderError, match=f"{name} is a link"):
        load_folder(model)


def test_a_link_to_the_whole_folder_is_fine(model, tmp_path):
    os.symlink(model, tmp_path / "latest")
    assert load_folder(tmp_path / "latest").kind == "Model"
    save_model(tmp_path / "latest")
    assert (tmp_path / "latest").is_symlink()
    assert is_whole(model)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": None},
        {"metadata": []},
        {"files": []},
        {"children": None},
        {"files": {"labels.txt": "0" * 64}},
        {"files": {"labels.txt": {"sha256": "0" * 63, "bytes": 4}}},
        {"files": {"labels.txt": {"sha256": "0" * 64, "bytes": -4}}},
        {"files": {"labels.txt": {"sha256": "0" * 64, "bytes": True}}},
    ],
)
def test_manifests_of_a_wrong_form_are_refused(model, changes):
    rewrite_manifest(model, **changes)
    with pytest.raises(ModelFolderError, match=r"model.json is damaged"):
        load_folder(model, verify=False)


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: json.dumps(text).encode()))
def test_any_bytes_in_place_of_the_manifest_are_refused(tmp_path_factory, raw):
    folder = tmp_path_factory.mktemp("m")
    (folder / "model.json").write_bytes(raw)
    assert not is_whole(folder)
    for verify in (True, False):
        with pytest.raises(ModelFolderError):
            load_folder(folder, verify=verify)


def test_a_manifest_nested_beyond_reason_is_refused(model):
    (model / "model.json").write_bytes(b"[" * 1_000_000)
    with pytest.raises(ModelFolderError, match="is not JSON"):
        load_folder(model)


def test_folders_within_folders_end_somewhere(tmp_path):
    def nest(depth: int):
        children = {"in": nest(depth - 1)} if depth else {}
        return lambda path: save_folder(path, kind="Nest", children=children)

    nest(8)(tmp_path / "shallow")
    assert load_folder(tmp_path / "shallow").kind == "Nest"
    nest(9)(tmp_path / "deep")
    with pytest.raises(ModelFolderError, match="more than 8 model folders deep"):
        load_folder(tmp_path / "deep")


def test_arrays_are_mapped_and_never_reach_the_file(model):
    before = (model / "arrays.safetensors").read_bytes()
    weights = load_folder(model).arrays["weights"]
    assert not weights.flags.writeable
    weights.flags.writeable = True
    weights[:] = -1
    assert (model / "arrays.safetensors").read_bytes() == before


def test_mapped_arrays_survive_the_replacement_of_their_folder(model):
    weights = load_folder(model).arrays["weights"]
    save_folder(model, kind="Model", arrays={"weights": np.zeros(3)})
    np.testing.assert_array_equal(weights, ARRAYS["weights"])


@pytest.mark.parametrize("name", ["model.json", "arrays.safetensors", "../x", "a/b", "", ".x", "x" * 200])
def test_names_a_manifest_would_refuse_are_not_written(tmp_path, name):
    with pytest.raises(ValueError, match=r"found '"):
        save_folder(tmp_path / "model", kind="Model", files={name: b""})
    assert list(tmp_path.iterdir()) == []


def test_a_name_serves_one_purpose(tmp_path):
    with pytest.raises(ValueError, match="a name serves one file or child"):
        save_folder(tmp_path / "model", kind="Model", files={"tree": b""}, children={"tree": save_tree})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes", np.zeros(2)])
def test_metadata_without_a_json_form_is_refused(model, value):
    before = content(model)
    with pytest.raises((TypeError, ValueError)):
        save_folder(model, kind="Model", metadata={"value": value})
    assert content(model) == before


def test_writers_that_write_nothing_are_told_so(tmp_path):
    with pytest.raises(ValueError, match="the writer of labels must write one file"):
        save_folder(tmp_path / "model", kind="Model", files={"labels": lambda _: None})
    with pytest.raises(ModelFolderError, match="is no folder"):
        save_folder(tmp_path / "model", kind="Model", children={"tree": lambda _: None})
    assert list(tmp_path.iterdir()) == []


SAVE_FOREVER = """
import sys
import numpy as np
from larix.xmc.persistence import save_folder
for step in range(10**6):
    arrays = {"a": np.full(20_000, step), "b": np.full(5, step)}
    save_folder(sys.argv[1], kind="Step", metadata={"step": step}, arrays=arrays, files={"f": b"%d" % step})
    print("saved", flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3.5, 7, 20])
def test_a_process_killed_while_saving_leaves_no_half_model(tmp_path, milliseconds):
    path = tmp_path / "model"
    command = [sys.executable, "-c", SAVE_FOREVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "saved\n"
        time.sleep(milliseconds / 1000)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    if path.exists():
        saved = load_folder(path)
        assert np.all(saved.arrays["a"] == saved.metadata["step"])
        assert saved.file("f").read_text() == str(saved.metadata["step"])
    save_model(path)
    assert load_folder(path).kind == "Model"
    assert os.listdir(tmp_path) == ["model"]
