"""The bases that extraction is measured with, as numbers: nothing here needs a framework."""

from benchmarks.workers.networks import efficientnet_lite0, vgg16
from benchmarks.workers.networks.network import Network

NETWORKS: dict[str, Network] = {  # by the names of `base.name`
    "vgg16": vgg16.NETWORK,
    "efficientnet_lite0": efficientnet_lite0.NETWORK,
}
