"""Training of the plate models. PyTorch is needed here alone, and imported nowhere else."""
