"""A file of signals in either format: SUMO's XML or Greenbay's JSON, told apart by its start."""

from signals.rules.model.documents import network_from_json, plans_from_json, read_json
from signals.rules.model.junction import SignalNetwork
from signals.rules.model.plans import Programme
from signals.rules.model.sumo_import import network_of, programmes_of
from signals.rules.model.sumo_net import read_sumo


def read_network(content: bytes) -> tuple[SignalNetwork, tuple[Programme, ...]]:
    """Read a network and the plans that come with it.

    Raises
    ------
    Invalid
        Where it is neither format, or holds no signalled junction.
    """
    if _is_xml(content):
        file = read_sumo(content)
        network = network_of(file)
        return network, programmes_of(file, network)
    value = read_json(content)
    network = network_from_json(value)
    return network, plans_from_json(value, network)


def read_plans(content: bytes, network: SignalNetwork) -> tuple[Programme, ...]:
    """Read the plans of a file for a network's junctions.

    Raises
    ------
    Invalid
        Where it is neither format, or names a signal or group that the network lacks.
    """
    if _is_xml(content):
        return programmes_of(read_sumo(content), network)
    return plans_from_json(read_json(content), network)


def _is_xml(content: bytes) -> bool:
    start = content[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") or content.startswith((b"\xff\xfe", b"\xfe\xff"))
