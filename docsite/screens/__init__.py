"""Pictures of the portal's pages, taken by a browser from a festival that is played (`make pictures`)."""
