"""A shipped model taken up again: its arrays by the net's names, and the net that has them."""

from __future__ import annotations

import numpy as np
import pytest

from lpr.training.onnx_file import arrays_of
from lpr.vision.models import MODELS, STRIDE_PX, Recogniser
from lpr.vision.strips import STRIP_HEIGHT_PX, STRIP_WIDTH_PX, batch_of


def test_a_models_arrays_have_the_names_that_its_net_gives_them() -> None:
    arrays = arrays_of((MODELS / "recogniser.onnx").read_bytes())
    assert arrays["trunk.0.0.weight"].shape == (32, 3, 5, 5)
    assert arrays["trunk.2.block.0.weight"].shape == (64, 64, 3, 3)
    assert arrays["trunk.2.block.0.bias"].shape == (64,)
    assert arrays["place"].shape == (1, 9, STRIP_HEIGHT_PX // STRIDE_PX, STRIP_WIDTH_PX // 4)
    assert arrays["character.weight"].shape == (128, 81)
    assert all(np.isfinite(array).all() for array in arrays.values())


@pytest.mark.parametrize("kept", [0, 1, 1000, -1])
def test_a_file_that_ends_too_soon_is_no_model(kept: int) -> None:
    content = (MODELS / "refiner.onnx").read_bytes()
    with pytest.raises(ValueError, match=r"ends within|has not one graph"):
        arrays_of(content[:kept])


def test_a_net_with_a_models_weights_does_as_the_model_does() -> None:
    torch = pytest.importorskip("torch")
    from lpr.training.onnx_weights import load_onnx
    from lpr.training.recogniser_net import RecogniserNet

    random = np.random.default_rng(1)
    shape = (STRIP_HEIGHT_PX, STRIP_WIDTH_PX, 3)
    pictures = [np.asarray(random.integers(0, 256, shape), np.uint8) for _ in range(24)]
    strips = batch_of(pictures)
    net = RecogniserNet()
    load_onnx(net, MODELS / "recogniser.onnx", torch.from_numpy(strips))
    wanted = Recogniser().logits(pictures)
    assert net.training
    net.eval()
    with torch.no_grad():
        told = net(torch.from_numpy(strips))
        for one, other in zip(told, wanted, strict=True):
            assert one.numpy() == pytest.approx(other, abs=1e-3)
        # In training too, where norms take out what this batch has, dropping nothing out.
        net.train()
        net.drop.eval()
        for one, other in zip(net(torch.from_numpy(strips)), wanted, strict=True):
            assert one.numpy() == pytest.approx(other, abs=1e-2)


def test_a_model_of_another_net_is_refused() -> None:
    torch = pytest.importorskip("torch")
    from city.errors import Invalid
    from lpr.training.onnx_weights import load_onnx
    from lpr.training.refiner_net import RefinerNet

    with pytest.raises(Invalid, match="of the net's shape"):
        load_onnx(RefinerNet(), MODELS / "recogniser.onnx", torch.zeros(1, 3, 48, 96))
