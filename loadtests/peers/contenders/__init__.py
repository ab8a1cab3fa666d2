"""Who is compared: each starts everything it needs afresh, and brings its pairs to where they can talk."""

from loadtests.peers.contenders.minimum import minimum
from loadtests.peers.contenders.samtale import samtale
from loadtests.peers.contenders.socketio import socketio
from loadtests.peers.contenders.standing import Contender

CONTENDERS: dict[str, Contender] = {"socketio": socketio, "minimum": minimum, "samtale": samtale}
