"""Tools of whoever operates Karya: checks, rebuilding, tracing, dead letters and strays."""
