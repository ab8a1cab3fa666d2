"""Who gets which conversation. `core` decides it, for the engine, without any machinery."""
