"""The laboratory: faults, simulated seasons and benches. Never in the image or the wheel."""
