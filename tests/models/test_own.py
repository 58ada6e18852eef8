"""A network of the user's own: the example of the documentation, and definitions that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from edgebin.errors import CheckpointError, InputError
from edgebin.models.own import is_definition, read_own_model
from edgebin.nn.freeze import freeze

ROOT = Path(__file__).resolve().parents[2]
DEFINITION = f"{ROOT / 'examples/own_model/net.py'}:OwnViT"


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "own.safetensors"
    namespace: dict[str, object] = {}
    exec(compile((ROOT / "examples/own_model/net.py").read_text(), "net.py", "exec"), namespace)
    torch.manual_seed(0)
    network = namespace["OwnViT"]()  # type: ignore[operator]
    save_file({name: value + 0.01 for name, value in network.state_dict().items()}, path)
    return path


def test_definition_gets_its_parameters_and_freezes(parameters: Path) -> None:
    loaded = read_own_model(parameters, DEFINITION)
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        logits, frozen = loaded.module(images), freeze(loaded.module)(images)
    assert logits.shape == (3, 10)
    assert (loaded.config.channels, loaded.config.image_size, loaded.config.classes) == (3, 32, 10)
    torch.testing.assert_close(frozen, logits, rtol=1e-4, atol=1e-4)


def test_parameters_of_another_network_are_refused(parameters: Path, tmp_path: Path) -> None:
    save_file({"something": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="missing"):
        read_own_model(tmp_path / "other.safetensors", DEFINITION)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "Net", "does not make a torch module"),
        ("Net = 3", "Net", "does not make a torch module"),
        ("from torch import nn\nNet = nn.Identity", "Net", "image_shape"),
        (
            "from torch import nn\nclass Net(nn.Identity):\n    image_shape = (3, 8, 8)",
            "Net",
            "logits",
        ),
    ],
)
def test_definitions_that_cannot_be_used(tmp_path: Path, text: str, name: str, message: str) -> None:
    (tmp_path / "net.py").write_text(text)
    save_file({}, tmp_path / "empty.safetensors")
    with pytest.raises(InputError, match=message) as caught:
        read_own_model(tmp_path / "empty.safetensors", f"{tmp_path / 'net.py'}:{name}")
    assert "docs/own-model.md" in (caught.value.hint or "")


def test_ids_are_no_definitions() -> None:
    assert not is_definition("bhvit-small")
    assert is_definition("net.py:Net")
