"""The science of signals: frozen dataclasses and pure functions, a module a topic."""
