"""What clients and gateways say to each other. `protocol/SPEC.md` is normative; these types follow it."""
