"""The programs of devices that are offline at times: a facility's terminal, a booth's till."""
