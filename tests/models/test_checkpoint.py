"""Checkpoints: good ones are read strictly, bad ones refused with a message that says what they look like."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from edgebin.errors import CheckpointError, InputError
from edgebin.models.checkpoint import full_precision_twin, read_checkpoint, save_checkpoint
from edgebin.models.config import BinaryViTConfig
from edgebin.models.registry import build, construct, twin_config
from tests.golden.load import HERE, golden, micro_config, micro_state, shared

CONFIG = BinaryViTConfig(
    image_size=16, patch_size=4, classes=5, depths=(2,), dims=(64,), heads=(1,), mlp_dims=(128,), reductions=(1,),
    class_token=False, average_windows=(3,), layer_scale=True,
)  # fmt: skip
ARGUMENTS = {"some_fp": False, "avg_res3": True, "avg_res5": False, "nb_classes": 5, "input_size": 16, "epochs": 300}
State = dict[str, Tensor]


@pytest.fixture
def state() -> State:
    torch.manual_seed(0)
    return construct(CONFIG).state_dict()


def official(path: Path, state: State, **arguments: Any) -> Path:
    """A file as the authors' training script writes it."""
    content = {"model": state, "optimizer": {}, "epoch": 7, "args": argparse.Namespace(**{**ARGUMENTS, **arguments})}
    torch.save(content, path)
    return path


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path, **options)
    assert caught.value.hint
    return caught.value.message


def test_the_authors_format(tmp_path: Path, state: State) -> None:
    loaded = read_checkpoint(official(tmp_path / "best.pth", state))
    assert (loaded.model_id, loaded.config, loaded.full_precision) == ("reactdeit", CONFIG, False)
    assert not loaded.module.training
    assert all(torch.equal(value, state[name]) for name, value in loaded.module.state_dict().items())


def test_the_authors_own_file() -> None:
    path = shared("golden/binaryvit_micro_official_format.pth")
    loaded = read_checkpoint(path, config=HERE / "binaryvit_micro.json")
    expected = micro_state(golden("binaryvit_micro"))
    assert (loaded.model_id, loaded.config) == ("binaryvit", micro_config())
    assert all(torch.equal(value, expected[name]) for name, value in loaded.module.state_dict().items())
    assert "how many attention heads" in refusal(path)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s}])
def test_state_dicts_bare_or_wrapped_with_or_without_prefix(
    tmp_path: Path, state: State, wrap: Callable[[State], dict[str, Any]]
) -> None:
    for prefix in ("", "module."):
        torch.save(wrap({prefix + name: value for name, value in state.items()}), tmp_path / "a.pth")
        assert read_checkpoint(tmp_path / "a.pth").config == CONFIG


def test_averaged_weights_are_read_where_there_are_no_others(tmp_path: Path, state: State) -> None:
    averaged = {f"module.{name}": value + 1 for name, value in state.items()}
    for key in ("model_ema", "state_dict_ema"):
        torch.save({key: averaged, "epoch": 3}, tmp_path / "a.pth")
        loaded = read_checkpoint(tmp_path / "a.pth")
        assert torch.equal(loaded.module.state_dict()["classifier.bias"], state["classifier.bias"] + 1)
        assert f"averaged weights (`{key}`)" in loaded.source
    torch.save({"model": state, "model_ema": averaged}, tmp_path / "b.pth")
    loaded = read_checkpoint(tmp_path / "b.pth")
    assert torch.equal(loaded.module.state_dict()["classifier.bias"], state["classifier.bias"])
    assert "not the averaged ones" in loaded.source


def test_legacy_pickle_half_precision_and_bare_safetensors(tmp_path: Path, state: State) -> None:
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    torch.save(half, tmp_path / "legacy.pth", _use_new_zipfile_serialization=False)
    save_file(half, tmp_path / "bare.safetensors")
    for name in ("legacy.pth", "bare.safetensors"):
        loaded = read_checkpoint(tmp_path / name)
        assert loaded.config == CONFIG
        assert loaded.module.classifier.weight.dtype == torch.float32


@pytest.mark.parametrize("config", [CONFIG, twin_config(CONFIG), micro_config()])
def test_round_trip(tmp_path: Path, config: BinaryViTConfig) -> None:
    module = construct(config)
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, module)
    loaded = read_checkpoint(path)
    assert loaded.config == config
    assert loaded.full_precision == (not isinstance(config, BinaryViTConfig))
    assert all(torch.equal(value, module.state_dict()[name]) for name, value in loaded.module.state_dict().items())
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_same_model_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        torch.manual_seed(0)
        save_checkpoint(tmp_path / name, construct(CONFIG))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_left_behind_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        save_checkpoint(tmp_path / "missing" / "a.safetensors", construct(CONFIG))
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError):
        save_checkpoint(tmp_path / "folder", construct(CONFIG))
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_twin_is_seeded_and_leaves_torchs_generator_alone(tmp_path: Path, state: State) -> None:
    loaded = read_checkpoint(official(tmp_path / "a.pth", state))
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (full_precision_twin(loaded, seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert any(not torch.equal(value, other[name]) for name, value in first.items())


class _Payload:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, ("raise SystemExit('a pickle ran code')",)


@pytest.mark.parametrize("new_format", [True, False])
def test_pickled_code_is_not_run(tmp_path: Path, new_format: bool) -> None:
    torch.save({"model": _Payload()}, tmp_path / "evil.pth", _use_new_zipfile_serialization=new_format)
    message = refusal(tmp_path / "evil.pth")
    assert "would run code" in message
    assert "exec" in message


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated(tmp_path: Path, state: State, suffix: str, share: float) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "pth":
        official(path, state)
    else:
        save_checkpoint(path, construct(CONFIG))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "damaged or truncated" in refusal(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello", "no checkpoint"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x80\x04garbage", "damaged"),
        (b"PK\x03\x04garbage", "damaged"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a.pth").write_bytes(content)
    assert says in refusal(tmp_path / "a.pth")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "a.pth")
    assert "directory" in refusal(tmp_path)


@pytest.mark.parametrize("content", [[1, 2], {"model": 3}, {"a": torch.zeros(1), "b": "text"}, {}, torch.zeros(3)])
def test_no_state_dict(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "a.pth")
    assert "holds no state dict" in refusal(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("vit.encoder.layerA.0.GC.cov1.weight", "BHViT"),
        ("layer1.0.conv1.weight", "ResNet"),
        ("features.0.weight", "no system that edgebin knows"),
    ],
)
def test_other_systems(tmp_path: Path, name: str, system: str) -> None:
    torch.save({name: torch.zeros(1)}, tmp_path / "a.pth")
    assert system in refusal(tmp_path / "a.pth")


def test_full_precision_where_a_binary_network_is_expected_and_the_reverse(tmp_path: Path, state: State) -> None:
    torch.save(construct(twin_config(CONFIG)).state_dict(), tmp_path / "teacher.pth")
    assert "holds a full-precision network" in refusal(tmp_path / "teacher.pth", model="reactdeit-small")
    assert "holds a binary network" in refusal(official(tmp_path / "a.pth", state), model="reactdeit-full-precision")
    assert read_checkpoint(tmp_path / "teacher.pth").full_precision


def test_differences_are_reported(tmp_path: Path, state: State) -> None:
    del state["vit.layernorm.weight"]
    state["extra.weight"] = torch.zeros(1)
    state["classifier.bias"] = torch.zeros(6)
    message = refusal(official(tmp_path / "a.pth", state))
    assert "1 missing (vit.layernorm.weight)" in message
    assert "1 unexpected (extra.weight)" in message
    assert "1 of another shape (classifier.bias (6,) instead of (5,))" in message


def test_long_differences_are_cut(tmp_path: Path, state: State) -> None:
    for name in [name for name in state if ".layer.1.attention" in name]:
        del state[name]
    assert "more" in refusal(official(tmp_path / "a.pth", state))


def test_arguments_that_contradict_the_parameters(tmp_path: Path, state: State) -> None:
    message = refusal(official(tmp_path / "a.pth", state, avg_res3=False, weight_bits=2))
    assert "avg_res3 is False in the arguments, True by the parameters" in message
    assert "weight_bits is 2" in message


def test_config_file_that_contradicts_the_parameters(tmp_path: Path, state: State) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"hidden_size": 32, "num_attention_heads": 1, "intermediate_size": 128}))
    message = refusal(official(tmp_path / "a.pth", state), config=config)
    assert "dims is (32,) in config.json, (64,) by the parameters" in message
    config.write_text("{")
    with pytest.raises(InputError, match=r"config\.json"):
        read_checkpoint(tmp_path / "a.pth", config=config)


def test_a_model_that_is_named_wrongly(tmp_path: Path, state: State) -> None:
    path = official(tmp_path / "a.pth", state)
    assert "not a `binaryvit`" in refusal(path, model="binaryvit")
    assert "depths is (2,), not (12,)" in refusal(path, model="reactdeit-small-ls")
    assert read_checkpoint(path, model="reactdeit").config == CONFIG
    with pytest.raises(InputError, match="unknown model"):
        read_checkpoint(path, model="resnet")


def test_values_that_are_not_finite(tmp_path: Path, state: State) -> None:
    state["classifier.bias"][0] = torch.nan
    assert "classifier.bias" in refusal(official(tmp_path / "a.pth", state))


def test_metadata_of_another_version(tmp_path: Path, state: State) -> None:
    for metadata in ({"schema": 2}, {"schema": 1, "family": "reactdeit", "config": {"depths": 1}}, []):
        save_file(state, tmp_path / "a.safetensors", metadata={"edgebin": json.dumps(metadata)})
        assert "cannot use" in refusal(tmp_path / "a.safetensors")


def test_a_published_network_keeps_its_id_without_metadata(tmp_path: Path) -> None:
    torch.save(build("reactdeit-small-avgpool").state_dict(), tmp_path / "a.pth")
    loaded = read_checkpoint(tmp_path / "a.pth")
    assert loaded.model_id == "reactdeit-small-avgpool"
    assert "64 wide" in loaded.source
