"""The networks by name: the one place that lists them. Their torch modules are loaded when one is built.

Six are those that the paper compares (Peng et al. 2022): AttFocusNet, AttUNet and PraNet written here, UNet++, 3D U-Net
and UNETR from MONAI, an optional extra. `NETWORKS["mine"] = Mine()` adds one (see base.py). torch runs any of them;
OpenVINO those that it has a graph of (engines/openvino_graph.py).
"""

from typing import Any

from ..core.errors import InputError
from .attfocusnet_entry import AttFocusNetEntry, AttUNetEntry
from .base import Network, NetworkConfig
from .pranet_entry import PraNetEntry
from .unet3d import UNet3DEntry
from .unetpp import UNetPlusPlusEntry
from .unetr import UNETREntry

DEFAULT = "attfocusnet"  # also of manifests and runs written before there were others
NETWORKS: dict[str, Network[Any]] = {one.name: one for one in (
    AttFocusNetEntry(), AttUNetEntry(), UNetPlusPlusEntry(), PraNetEntry(), UNet3DEntry(), UNETREntry())}


def find_network(name: object, source: str = "") -> Network[Any]:
    """The network of that name. Raises InputError, beginning with source (a file), for an unknown one."""
    network = NETWORKS.get(name) if isinstance(name, str) else None
    if network is None:
        raise InputError(f"{source}{': ' if source else ''}the network {name!r} is unknown here; known are "
                         f"{', '.join(sorted(NETWORKS))}. Choose one of these, or update ICHVolume.")
    return network


def network_of(config: NetworkConfig) -> Network[Any]:
    """The network that a configuration belongs to."""
    return find_network(config.network)


def read_config(record: dict[str, Any], source: str = "") -> NetworkConfig:
    """The configuration in a manifest or a run's checkpoint.json (fields network, config).

    Raises InputError for an unknown network or one that cannot be built so; source: the file, for the message.
    """
    network = find_network(record.get("network", DEFAULT), source)
    config: NetworkConfig = network.config_class.from_dict(record["config"])
    return config
