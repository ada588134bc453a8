"""What stands at a signalled junction and what its signals show: the model and its two formats."""
