"""One command of the inbox, decided until the cell comes to rest.

Invariant: everything a command causes inside the cell happens here, first in first out, before the next command is
looked at; nothing here does I/O: what is needed is asked for (`Need`), what is changed is returned (`StepResult`).
"""

from engine.core.result import Logged, Need, Stamp, StepFailed, StepResult

__all__ = ["Logged", "Need", "Stamp", "StepFailed", "StepResult"]
