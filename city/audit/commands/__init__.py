"""The command line of ``city.audit``: one module a command, as ``city.command_line`` says."""
