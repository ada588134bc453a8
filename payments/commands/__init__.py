"""The room's command line: one module a command, as ``city.command_line`` says."""
