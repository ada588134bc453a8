"""The command line of ``city.people``: one module a command, as ``city.command_line`` says."""
