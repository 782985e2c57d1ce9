"""The shell around every service: what it does with a batch, once, for all of them. Begin with `step`."""
