"""What is on its way between facilities and booths, and what is lost of it."""
