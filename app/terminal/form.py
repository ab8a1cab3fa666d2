"""A form, filled in field by field.

Invariant: nothing is sent before every required field has a value; giving up sends nothing.
"""

import samtale

from app.terminal.console import Console


class FormFilling:
    """`said` holds the form."""

    def __init__(self, said: samtale.LogEvent, form: samtale.Form, console: Console) -> None:
        self.said = said
        self.values: dict[str, str] = {}
        self._fields = list(form.fields)
        self._console = console
        console.say(f"       {form.title}: one line for each field, /skip leaves one out, /cancel gives up", "yellow")
        self._show()

    @property
    def is_whole(self) -> bool:
        """Whether every field was asked."""
        return not self._fields

    def take(self, line: str) -> None:
        """Take a line as the value of the present field."""
        field = self._fields[0]
        if line == "/skip" and field.required:
            self._console.say("       this one is needed", "red")
            return
        if line != "/skip":
            self.values[field.id] = self._value(field, line)
        del self._fields[0]
        self._show()

    def _value(self, field: samtale.FormField, line: str) -> str:
        """Return the id of an option chosen by number or label, or what was written."""
        for number, option in enumerate(field.options, start=1):
            if line.casefold() in (str(number), option.label.casefold()):
                return option.id
        return line

    def _show(self) -> None:
        if self._fields:
            field = self._fields[0]
            options = "  ".join(f"{number}) {each.label}" for number, each in enumerate(field.options, start=1))
            kind = options or ("" if field.kind == "text" else field.kind)
            self._console.say(f"       {field.label}{' *' if field.required else ''}{f'  ({kind})' if kind else ''}:")
