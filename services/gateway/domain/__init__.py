"""News of facilities and booths: what services say to the devices there."""
