"""The words of the demo that no scene owns, in the tongue that a story is told in.

Invariant: braces hold what is put in; the two tongues say the same.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tongue:
    """`holding`: how many facts hold, of how many, after how many seconds."""

    said: str
    running: str
    own: str
    offered: str
    taken: str
    given: str
    holding: str


ENGLISH = Tongue(
    said="“{text}”",
    running="the running installation",
    own="an installation of its own",
    offered="the conversation is offered",
    taken="takes it",
    given="has the conversation",
    holding="{holding} of {all} facts hold, in {took_s:.0f} s",
)
NORWEGIAN = Tongue(
    said="«{text}»",
    running="installasjonen som kjører",
    own="en egen installasjon",
    offered="får tilbud om samtalen",
    taken="tar den",
    given="har samtalen",
    holding="{holding} av {all} påstander holder, på {took_s:.0f} s",
)
