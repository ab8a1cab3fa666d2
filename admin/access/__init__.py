"""Who may ask what: keys, browser sessions, roles and scopes."""
