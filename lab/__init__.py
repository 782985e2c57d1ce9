"""What tries Karya out: faults, invented seasons, measurements. Never in the image or the wheel."""
