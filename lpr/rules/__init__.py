"""The science of reading plates: frozen dataclasses and pure functions, a module a topic."""
