"""Errors of the scenario."""

from shared.errors import KaryaError


class ScenarioFailed(KaryaError):
    """Karya did not do what the scenario depends on, so the season can't go on."""
