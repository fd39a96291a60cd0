"""Networks of stacks behind the contract of slices: consecutive slices share a stack, windows cover the plane."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from ICHVolumeLib.network.stack_module import StackModule  # noqa: E402
from ICHVolumeLib.network.unet3d import UNet3DConfig, UNet3DEntry  # noqa: E402
from ICHVolumeLib.segmentation.input_slices import windowed_slices  # noqa: E402


class Copies(torch.nn.Module):
    """A 3D network whose three logits are the voxel itself; counts what it was given."""

    def __init__(self):
        super().__init__()
        self.shapes = []

    def forward(self, volume):
        self.shapes.append(tuple(volume.shape))
        return volume.repeat(1, 3, 1, 1, 1)


def stacks_of(slices, depth, size=32):
    hu = np.random.default_rng(0).uniform(0, 100, (slices, size, size)).astype(np.float32)
    return torch.from_numpy(windowed_slices(hu, (0, 100), depth))


def test_every_slice_gets_its_own_answer_and_a_stack_answers_for_half_of_its_slices():
    net, stacks = Copies(), stacks_of(11, 8)
    answers = UNet3DEntry().logits(StackModule(net, 32), stacks)
    torch.testing.assert_close(answers, stacks[:, 4:5].expand(-1, 3, -1, -1))
    assert net.shapes == [(1, 1, 8, 32, 32)] * 3  # 4 + 4 + 3 slices


def test_slices_that_are_no_neighbours_are_seen_in_stacks_of_their_own():
    net, stacks = Copies(), stacks_of(20, 8)[[2, 3, 9, 15, 16]]
    answers = UNet3DEntry().logits(StackModule(net, 32), stacks)
    torch.testing.assert_close(answers, stacks[:, 4:5].expand(-1, 3, -1, -1))
    assert len(net.shapes) == 3


def test_every_answer_lies_in_the_inner_half_of_the_stack_that_gives_it():
    class Places(Copies):
        def forward(self, volume):
            self.shapes.append(volume.shape)
            return torch.arange(16.0)[None, None, :, None, None].expand(1, 3, 16, 32, 32)

    places = UNet3DEntry().logits(StackModule(Places(), 32), stacks_of(24, 16))[:, 0, 0, 0].tolist()
    assert places == [float(place) for place in range(4, 12)] * 3


@pytest.mark.parametrize("shape", [(32, 32), (64, 48), (20, 80)])
def test_windows_cover_slices_of_any_size(shape):
    net = Copies()
    module = StackModule(net, 32)
    stacks = torch.rand(2, 4, *shape)
    torch.testing.assert_close(module(stacks), stacks[:, 2:3].expand(-1, 3, -1, -1))
    assert all(one[2:] == (4, 32, 32) for one in net.shapes)
    config = UNet3DConfig(in_slices=4, window=32)
    assert sum(one[0] for one in net.shapes) == 2 * config.windows_in_plane(*shape)
