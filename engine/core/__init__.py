"""The cell's judgement: pure deciders, and the step that lets one command come to rest."""
