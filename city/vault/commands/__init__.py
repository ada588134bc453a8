"""The command line of ``city.vault``: one module a command, as ``city.command_line`` says."""
