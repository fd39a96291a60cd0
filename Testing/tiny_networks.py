"""Every network of the registry as small as it can be built: for tests of what all of them do."""

import pytest

from ICHVolumeLib.network.base import PackageMissing
from ICHVolumeLib.network.config import AttFocusNetConfig, AttUNetConfig
from ICHVolumeLib.network.pranet_config import PraNetConfig
from ICHVolumeLib.network.unet3d import UNet3DConfig
from ICHVolumeLib.network.unetpp import UNetPlusPlusConfig
from ICHVolumeLib.network.unetr import UNETRConfig

TINY = {one.network: one for one in (
    AttFocusNetConfig(base_width=4), AttUNetConfig(base_width=4), UNetPlusPlusConfig(base_width=4),
    PraNetConfig(base_width=8, blocks=(1, 1, 1, 1), channels=8), UNet3DConfig(base_width=4, in_slices=16, window=32),
    UNETRConfig(base_width=4, hidden_size=24, heads=2, in_slices=16, window=32))}


def needs_its_packages(network):
    """Skips the test where the network's optional packages are not installed."""
    try:
        network.check_packages()
    except PackageMissing as error:
        pytest.skip(str(error))
