"""What is allowed in a configuration and yet may not be meant, in lines for people.

Invariant: reads only; a caution never keeps anything from being published.
"""

from collections.abc import Iterator

from admin.workspace.wording import texts_of
from protocol.bus.chatflow import Chatflow
from protocol.bus.config import AccountConfig
from protocol.bus.staff import Rule
from protocol.bus.texts import tongues


def cautions(config: AccountConfig) -> list[str]:
    """Return a line for each thing that somebody should know of."""
    found = [f"rule {rule.id}: {why}" for rule in config.rules for why in _of_rule(config, rule)]
    for flow in config.chatflows:
        if not flow.archived:
            found += [f"chatflow {flow.id}: {why}" for why in (*_of_flow(config, flow), *_missing_texts(flow))]
    return found


def _of_rule(config: AccountConfig, rule: Rule) -> Iterator[str]:
    agents = {agent.id: agent for agent in config.agents}
    members = [name for team in config.teams if team.id in rule.teams for name in team.members]
    inbox = next((inbox for inbox in config.inboxes if inbox.id == rule.inbox), None)
    everybody = list(dict.fromkeys([*rule.agents, *members])) or (inbox.agents if inbox else [])
    named = dict.fromkeys([*rule.agents, *members])
    for name in named:
        if name in agents and not agents[name].seat:
            yield f"{name} has no seat and is passed over"
    access = inbox.agents if inbox else []
    if not any(name in agents and agents[name].seat and name in access for name in everybody):
        yield "nobody can be routed to: no agent of it has a seat and access to the inbox"


def _of_flow(config: AccountConfig, flow: Chatflow) -> Iterator[str]:
    if not config.data_privacy and flow.consent.mode != "off":
        yield "its consent to process is hidden, for data_privacy is off"
    if not config.storage_consent and flow.storage.ask != "never":
        yield "its storage consent is hidden, for storage_consent is off"
    if flow.communicate is not None and (flow.consent.mode == "off" or not config.data_privacy):
        yield "its consent to communicate is hidden, for it stands on the card of the consent to process"
    if flow.availability.hours is not None and flow.availability.kind != "office_hours":
        yield f"its hours do not count, for its availability is {flow.availability.kind}"
    if flow.rule is None and flow.availability.kind == "agents_available":
        yield "nobody is ever sought, for its rule is off; whoever of the inbox is available counts as there"


def _missing_texts(flow: Chatflow) -> Iterator[str]:
    """Say which text is missing in a language that another text of the flow has."""
    given = [(field, texts) for field, texts in texts_of(flow) if texts]
    used = dict.fromkeys(locale for _, texts in given for locale in texts)
    for field, texts in given:
        for locale in used:
            if not texts.keys() & set(tongues(locale)):
                yield f"{field} has no text in {locale}; readers get it in {flow.language}"
